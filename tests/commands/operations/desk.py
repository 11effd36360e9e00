"""The operations context on a real database, behind the HTTP command API; tokens are made up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from psycopg_pool import AsyncConnectionPool

from commands.app import app
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.message import Command
from commands.operations.handlers import HANDLERS
from commands.operations.routes import RESOURCES, ROUTES
from commands.reply import Envelope
from commands.services import Loops, Services
from commands.table import Table
from domain.access import TokenInvalid
from domain.actor import Actor, Role, service
from domain.event import Event
from domain.ids import UserId
from domain.operations import CONTEXT
from domain.operations.operation import Operation
from infra.claims import HiddenClaims
from infra.event_log.log import EventLog
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.keys import PersonalKeys, migrate_keys
from projections.pool import Pool

ANN = Actor(UUID(int=1), frozenset({Role.CUSTOMER}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
OPERATOR = Actor(UUID(int=4), frozenset({Role.OPERATOR}))
WORKER = service("todo")
ACTORS = {"ann": ANN, "staff": STAFF, "operator": OPERATOR, "worker": WORKER}
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Clock:
    """What the HTTP layer takes for the time."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Desk:
    """One process."""

    loop: WriteLoop
    client: httpx.AsyncClient
    clock: Clock
    keys: PersonalKeys
    pool: Pool

    async def post(
        self, path: str, *, by: str | None = "operator", key: str | None = "k", **body: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {by}"} if by else {}
        headers |= {"idempotency-key": key} if key else {}
        return await self.client.post(path, json=body, headers=headers)

    async def look(self, path: str, by: str = "staff") -> httpx.Response:
        return await self.client.get(path, headers={"authorization": f"Bearer {by}"})

    async def operation(self, id: str) -> Operation:
        return (await self.loop.states([UUID(id)]))[UUID(id), Operation]

    async def tell(self, command: Command, id: str, by: Actor = WORKER) -> str:
        """What the operation comes to. Raises the refusal."""
        command.bind(by=by, target=UUID(id))
        return (await self.loop.submit(Envelope(command, "test"))).result().status

    async def stored(self) -> list[Mapping[str, Any]]:
        """The log's rows, in order."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT originator_id, originator_version, topic, state, actor FROM operations.stored_events"
                " ORDER BY notification_id"
            )
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]

    async def events(self) -> list[Event]:
        await self.keys.prefetch({actor.id for actor in ACTORS.values() if actor.id})
        mapper = EventMapper(self.keys)
        return [
            mapper.decode(row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"]))
            for row in await self.stored()
        ]


def no_keys() -> dict[str, Any]:
    return {"keys": []}


def actor_of(token: str) -> Actor:
    if token not in ACTORS:
        raise TokenInvalid("nobody knows it")
    return ACTORS[token]


@asynccontextmanager
async def opened(conninfo: str) -> AsyncIterator[Desk]:
    await migrate(conninfo, [CONTEXT.name, "users"])
    async with AsyncConnectionPool(conninfo, min_size=2, max_size=2, open=False) as pool:
        async with pool.connection() as connection:
            await migrate_keys(connection)
        keys = PersonalKeys(pool, bytes(32))
        for actor in ACTORS.values():
            if actor.id:
                await keys.create(UserId(actor.id))
        log = EventLog(conninfo, pool, CONTEXT, keys)
        await log.open()
        loop, clock = WriteLoop(CONTEXT, HANDLERS, log), Clock()
        transport = httpx.ASGITransport(app(api(loop, clock), ROUTES, RESOURCES, jwks=no_keys))
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield Desk(loop, client, clock, keys, pool)
        await loop.close()
        await log.close()


def api(loop: WriteLoop, clock: Clock) -> CommandApi:
    unused: Any = None
    services = Services(
        keys=unused,
        passwords=unused,
        claims=HiddenClaims("a secret"),
        tokens=unused,
        states=Loops({CONTEXT.name: loop}),
        catalogue=unused,
        shipping=unused,
        tax=unused,
        placed_orders=unused,
        now=clock,
    )
    return CommandApi(Table(ROUTES, RESOURCES), {CONTEXT.name: loop}, {CONTEXT.name: UUID(int=9)}, services, actor_of)
