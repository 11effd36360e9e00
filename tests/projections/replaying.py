"""A log of orders, the read models on it, and what replays them: on one database, as a process would have it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from projections.build import Builder
from projections.feed import Feed
from projections.model import Model
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.replay import Replays
from projections.schema import prepare
from projections.workers import Workers
from tests.infra.stored import SameKey
from tests.projections.stories import STORIES, mixed

COPY = """
COPY orders.stored_events (originator_id, originator_version, topic, state, notification_id, recorded_at,
    correlation_id, actor) FROM STDIN
"""


class Shop:
    """`models` as this release has them."""

    def __init__(self, database: str, pool: Pool, wakeups: Wakeups, models: tuple[Model, ...]) -> None:
        self.database = database
        self.pool = pool
        self.models = models
        self.log = LogReader(pool, "orders", SameKey())
        self.replays = Replays(pool, models, {"orders": self.log})
        self.builder = Builder(database, pool, {m.name: m for m in models}, self._part)
        self._wakeups = wakeups
        self._mapper = EventMapper(SameKey())
        self._head = 0

    def workers(self) -> Workers:
        return Workers(self.pool, self.models, self.feed_of, self.replays, self.builder.build)

    @asynccontextmanager
    async def feed_of(self, consumer: str, context: str) -> AsyncIterator[Feed]:
        yield StoreFeed(self.log, self._wakeups)

    async def append(self, events: Iterable[Event], at: datetime | None = None) -> int:
        """At the end of the log, as if recorded `at`; gives the head."""
        async with await AsyncConnection.connect(self.database) as connection:
            cursor = connection.cursor()
            async with cursor.copy(COPY) as copy:
                for event in events:
                    self._head += 1
                    state = self._mapper.encode(event)
                    row = (event.originator_id, event.originator_version, event.TOPIC, state, self._head)
                    await copy.write_row((*row, at or event.timestamp, "test", "anonymous"))
        self._wakeups.written("orders", self._head)
        return self._head

    def _part(self, context: str, slices: Collection[int], upto: int) -> Feed:
        return StoreFeed(self.log, self._wakeups, slices, upto=upto)


@asynccontextmanager
async def a_shop(database: str, *models: Model) -> AsyncIterator[Shop]:
    models = models or (ORDERS,)
    await migrate(database, ["orders"])
    await prepare(database, models)
    async with AsyncConnectionPool(database, min_size=1, max_size=12, open=False) as pool:
        wakeups = Wakeups(database, pool, ["orders"])
        wakeups.open()
        try:
            yield Shop(database, pool, wakeups, models)
        finally:
            await wakeups.close()


def some_events(orders: int, dice: Random) -> list[Event]:
    stories = [dice.choice(STORIES) for _ in range(orders)]
    return mixed([dice.randrange(orders) for _ in range(4 * orders)], stories)


async def rows(pool: Pool, schema: str) -> dict[UUID, tuple[object, ...]]:
    """The orders of a generation, or of `reads`, whole."""
    async with pool.connection() as connection:
        found = await (await connection.execute(f"SELECT id, t::text FROM {schema}.orders t")).fetchall()
    return {id: tuple(rest) for id, *rest in found}
