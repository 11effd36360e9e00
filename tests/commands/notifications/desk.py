"""The notifications context on a real database, behind the HTTP command API; users are made up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from psycopg_pool import AsyncConnectionPool

from commands.app import app
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.message import Command
from commands.notifications.handlers import HANDLERS
from commands.notifications.routes import RESOURCES, ROUTES
from commands.reply import Envelope
from commands.services import Loops, Services
from commands.table import Table
from domain.access import TokenInvalid
from domain.actor import Actor, Role, service
from domain.ids import ClaimId, UserId, new_id
from domain.notifications import CONTEXT
from domain.notifications.events import Channel
from domain.notifications.notification import Notification
from domain.users.user import Status, User
from domain.users.values import Settings
from infra.claims import HiddenClaims
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate
from infra.keys import PersonalKeys, migrate_keys

HANA = Actor(UUID(int=1), frozenset({Role.CUSTOMER}))
KEN = Actor(UUID(int=2), frozenset({Role.CUSTOMER}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
WORKER = service("todo")
ACTORS = {"hana": HANA, "ken": KEN, "staff": STAFF, "worker": WORKER}


@dataclass
class Desk:
    """One process. `users` are who there is by id; `channels` what the installation has."""

    loop: WriteLoop
    client: httpx.AsyncClient
    users: People
    pool: AsyncConnectionPool[Any]

    async def post(self, path: str, *, by: str = "worker", key: str | None = "k", **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {by}"} | ({"idempotency-key": key} if key else {})
        return await self.client.post(path, json=body, headers=headers)

    async def notify(self, trigger: str, to: Mapping[str, str], *, cause: UUID | None = None, **facts: Any) -> Any:
        body: dict[str, Any] = {"cause": str(cause or new_id()), "trigger": trigger, "facts": facts, **to}
        return await self.post("/v1/notifications", key=str(new_id()), **body)

    async def look(self, path: str, by: str) -> httpx.Response:
        return await self.client.get(path, headers={"authorization": f"Bearer {by}"})

    async def all(self) -> list[Notification]:
        """In the order they were requested."""
        async with self.pool.connection() as connection:
            found = await connection.execute(
                "SELECT originator_id FROM notifications.stored_events WHERE originator_version = 1"
                " ORDER BY notification_id"
            )
            ids = [id for (id,) in await found.fetchall()]
        states = await self.loop.states(ids)
        return [states[id, Notification] for id in ids]

    async def tell(self, command: Command, id: UUID, by: Actor = WORKER) -> str:
        """What the notification comes to. Raises the refusal."""
        command.bind(by=by, target=id)
        return (await self.loop.submit(Envelope(command, "test"))).result().status


@dataclass
class People:
    """The write side of users, as far as notifications ask."""

    by_id: dict[UUID, User] = field(default_factory=dict)

    def add(self, id: UUID | None, status: Status = Status.ACTIVE, **settings: Any) -> Mapping[str, str]:
        assert id is not None
        self.by_id[id] = User(UserId(id), 1, status, ClaimId(id), Settings(**settings))
        return {"userId": str(id)}


class Everything(Loops):
    def __init__(self, loops: Mapping[str, Any], people: People) -> None:
        super().__init__(loops)
        self._people = people

    async def get(self, context: str, id: UUID) -> Any | None:
        return self._people.by_id.get(id) if context == "users" else await super().get(context, id)


def actor_of(token: str) -> Actor:
    if token not in ACTORS:
        raise TokenInvalid("nobody knows it")
    return ACTORS[token]


@asynccontextmanager
async def opened(conninfo: str, channels: frozenset[Channel] = frozenset(Channel)) -> AsyncIterator[Desk]:
    await migrate(conninfo, [CONTEXT.name, "users"])
    async with AsyncConnectionPool(conninfo, min_size=2, max_size=4, open=False) as pool:
        await pool.wait()
        async with pool.connection() as connection:
            await migrate_keys(connection)
        log = EventLog(conninfo, pool, CONTEXT, PersonalKeys(pool, bytes(32)))
        await log.open()
        loop, people = WriteLoop(CONTEXT, HANDLERS, log), People()
        transport = httpx.ASGITransport(app(api(loop, people, channels), ROUTES, RESOURCES, jwks=dict))
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield Desk(loop, client, people, pool)
        await loop.close()
        await log.close()


def api(loop: WriteLoop, people: People, channels: frozenset[Channel]) -> CommandApi:
    unused: Any = None
    services = Services(
        keys=unused,
        passwords=unused,
        claims=HiddenClaims("a secret"),
        tokens=unused,
        placed_orders=unused,
        states=Everything({CONTEXT.name: loop}, people),
        catalogue=unused,
        shipping=unused,
        tax=unused,
        channels=channels,
    )
    return CommandApi(Table(ROUTES, RESOURCES), {CONTEXT.name: loop}, {CONTEXT.name: UUID(int=9)}, services, actor_of)
