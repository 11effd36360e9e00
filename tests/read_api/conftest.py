from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from psycopg_pool import AsyncConnectionPool

from domain.access import TokenInvalid
from domain.actor import Actor, Role, service
from domain.event import Event
from domain.ids import derive
from infra.assembly.reading import permit
from projections.alarm import Alarm
from projections.bell import CHANNEL
from projections.consumer import Consumer
from projections.feed import Recorded
from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from projections.waiting import Watch
from read_api.app import Allowance
from read_api.cursor import Cursors
from read_api.live.hub import Live
from read_api.live.serving import LiveGraphQLApp
from read_api.schema import make_schema
from tests.domain.orders.samples import CUSTOMER
from tests.projections.fakes import FakeFeed

OTHER = derive("test", "other customer")
ACTORS = {
    "customer": Actor(CUSTOMER, frozenset({Role.CUSTOMER})),
    "other": Actor(OTHER, frozenset({Role.CUSTOMER})),
    "staff": Actor(derive("test", "staff"), frozenset({Role.CUSTOMER, Role.STAFF})),
    "service": service("test"),
}
"""Who each access token belongs to."""

SCHEMA = make_schema()
MOST_STREAMS = 3
ALLOWANCE = Allowance(body=10_000, waiting=0.2, executing=2.0)


@dataclass
class Api:
    """The read API, asked over HTTP, with the rows of whatever events it was given."""

    client: httpx.AsyncClient
    pool: Pool
    app: LiveGraphQLApp
    feeds: dict[str, FakeFeed]
    news: Alarm
    live: Live

    async def post(
        self, query: str, who: str | None = None, headers: dict[str, str] | None = None, **variables: Any
    ) -> Any:
        """The response. `who` is one of ACTORS, None for nobody."""
        sent = dict(headers or {})
        if who:
            sent["authorization"] = f"Bearer {who}"
        return await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=sent)

    async def ask(self, query: str, who: str | None = "customer", **variables: Any) -> Any:
        """The data; there are no errors."""
        body = (await self.post(query, who, **variables)).json()
        assert "errors" not in body, body
        return body["data"]

    async def refused(self, query: str, who: str | None = "customer", **variables: Any) -> Any:
        """The one error."""
        body = (await self.post(query, who, **variables)).json()
        (error,) = body["errors"]
        return error

    async def has_seen(self, context: str, events: Iterable[Event]) -> FakeFeed:
        """Folds the events into every model of the context."""
        feed = self.feeds.setdefault(context, FakeFeed(context))
        feed.append(*events)
        for model in MODELS:
            if context in model.contexts:
                consumer = Consumer(ModelSink(model), feed, self.pool)
                checkpoint = await consumer.open()
                while (after := await consumer.step(checkpoint)) is not checkpoint:
                    checkpoint = after
        self.news.ring()
        return feed


def authenticate(token: str) -> Actor:
    if token not in ACTORS:
        raise TokenInvalid("unknown")
    return ACTORS[token]


class Streams(Mapping[str, Any]):
    """The logs by context, as far as they were seen."""

    def __init__(self, feeds: dict[str, FakeFeed]) -> None:
        self._feeds = feeds

    def __getitem__(self, context: str) -> FakeLog:
        return FakeLog(self._feeds[context].log)

    def __iter__(self) -> Iterator[str]:
        return iter(self._feeds)

    def __len__(self) -> int:
        return len(self._feeds)


@dataclass
class FakeLog:
    log: list[Recorded]

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]:
        upto = len(self.log) if upto_position is None else upto_position
        mine = [e for e in self.log if e.event.originator_id == id and e.position <= upto]
        return [e for e in mine if e.event.originator_version > after_version][:limit]

    async def position_at(self, at: datetime) -> int:
        return sum(each.recorded_at <= at for each in self.log)


@pytest.fixture
async def api(database: str) -> AsyncIterator[Api]:
    await prepare(database, MODELS)
    pool: Pool = AsyncConnectionPool(database, min_size=1, max_size=8, open=False)
    async with pool:
        feeds: dict[str, FakeFeed] = {}
        news = Alarm(database, CHANNEL)
        live = Live(pool, news, most=MOST_STREAMS)
        looking = asyncio.create_task(live.run())
        app = LiveGraphQLApp(
            SCHEMA,
            pool,
            Watch(pool),
            authenticate,
            Cursors("s" * 32),
            allowance=ALLOWANCE,
            logs=Streams(feeds),
            permit=permit,
            live=live,
            address=lambda scope: scope["client"][0],
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            yield Api(client, pool, app, feeds, news, live)
        looking.cancel()
        await asyncio.wait({looking})


@pytest.fixture
def executed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled: for tests that look at what resolvers ask for."""
    monkeypatch.setattr(api.app, "_compiled", None)


def owned_by(customer: UUID, event: Event) -> Event:
    """The event, of an order of another customer."""
    return event.model_copy(update={"customer_id": customer}) if "customer_id" in type(event).model_fields else event
