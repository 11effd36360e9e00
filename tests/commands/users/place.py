"""The users context on a real database, behind the HTTP command API. Hashing is made cheap and tokens readable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from commands.app import app
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.operations.handlers import HANDLERS as OPERATIONS
from commands.services import Loops, Services
from commands.table import Table
from commands.users.handlers import handlers
from commands.users.mailed_links import MailedLinks
from commands.users.routes import RESOURCES, ROUTES
from domain import operations
from domain.access import TokenInvalid
from domain.actor import Actor, Role
from domain.ids import ClaimId
from domain.users import CONTEXT
from domain.users.credentials import DEFAULT_POLICY, Credentials, Policy, credentials_id
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys, migrate_keys

ADMIN = Actor(UUID(int=1), frozenset({Role.ADMIN}))
OPERATOR = Actor(UUID(int=2), frozenset({Role.OPERATOR}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
PASSWORD = "correct horse"
numbers = count(1)


class CheapPasswords:
    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, hash: str | None, password: str) -> bool:
        return hash == f"hash of {password}"


class PlainClaims:
    def claim_id(self, kind: str, value: str) -> ClaimId:
        return ClaimId(uuid5(UUID(int=0), f"{kind}/{value}"))

    def digest(self, value: bytes) -> bytes:
        return sha256(value).digest()


class ReadableTokens:
    def access(self, actor: Actor) -> tuple[str, int]:
        return f"{actor.id}:{','.join(sorted(actor.roles))}", 600

    def new_refresh(self) -> tuple[str, str]:
        secret = uuid4().hex
        return secret, self.refresh_hash(secret)

    def refresh_hash(self, text: str) -> str:
        return sha256(text.encode()).hexdigest()


def actor_of(token: str) -> Actor:
    id, _, roles = token.partition(":")
    if not roles:
        raise TokenInvalid("it is none")
    return Actor(UUID(id), frozenset(map(Role, roles.split(","))))


@dataclass
class Place:
    """One process's users."""

    loop: WriteLoop
    keys: PersonalKeys
    client: httpx.AsyncClient
    pool: AsyncConnectionPool[Any]
    tokens: ReadableTokens = field(default_factory=ReadableTokens)

    @property
    def log(self) -> LogReader:
        return LogReader(self.pool, CONTEXT.name, self.keys)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, by: Actor | None = None, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if by is not None:
            named["authorization"] = f"Bearer {self.tokens.access(by)[0]}"
        return await self.client.post(path, json=dict(body or {}), headers=named)

    async def register(self, email: str | None = None, **more: Any) -> Actor:
        """A customer who can sign in with PASSWORD."""
        answer = await self.sign_up(email or f"user{next(numbers)}@example.org", **more)
        assert answer.status_code == 201, answer.text
        return Actor(UUID(answer.json()["id"]), frozenset({Role.CUSTOMER}))

    async def sign_up(self, email: str, **more: Any) -> httpx.Response:
        return await self.post("/v1/users", {"email": email, "password": PASSWORD, "name": "Hana", **more})

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/v1/sessions", {"email": email, "password": password})

    async def refresh(self, token: str) -> httpx.Response:
        return await self.post("/v1/sessions/refresh", {"refreshToken": token})

    async def denied(self) -> list[Any]:
        log = LogReader(self.pool, operations.CONTEXT.name, self.keys)
        return [each.event for each in (await log.read(0, 100)).events]

    async def credentials(self, user: Actor) -> Credentials:
        assert user.id is not None
        id = credentials_id(user.id)
        return (await self.loop.states([id]))[id, Credentials]


async def prepare(conninfo: str) -> None:
    await migrate(conninfo, [CONTEXT.name, operations.CONTEXT.name])
    async with await AsyncConnection.connect(conninfo) as connection:
        await migrate_keys(connection)


@asynccontextmanager
async def place(conninfo: str, policy: Policy = DEFAULT_POLICY, *, activated: bool = True) -> AsyncIterator[Place]:
    async with AsyncConnectionPool(conninfo, min_size=4, open=False) as pool:
        await pool.wait()  # a connection that is being made when the pool closes would be left open
        keys = PersonalKeys(pool, bytes(32))
        log = EventLog(conninfo, pool, CONTEXT, keys)
        await log.open()
        links = MailedLinks(PlainClaims())
        own = handlers(activated=activated, policy=policy, reset_hash=links.reset_hash)
        loop = WriteLoop(CONTEXT, own, log)
        denials = EventLog(conninfo, pool, operations.CONTEXT, keys)
        await denials.open()
        loops = {CONTEXT.name: loop, operations.CONTEXT.name: WriteLoop(operations.CONTEXT, OPERATIONS, denials)}
        transport = httpx.ASGITransport(app(api(loops, keys), ROUTES, RESOURCES, jwks=dict))
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield Place(loop, keys, client, pool)
        for each in loops.values():
            await each.close()
        await log.close()
        await denials.close()


def api(loops: Mapping[str, WriteLoop], keys: PersonalKeys) -> CommandApi:
    unused: Any = None
    services = Services(
        keys=keys,
        passwords=CheapPasswords(),
        claims=PlainClaims(),
        tokens=ReadableTokens(),
        states=Loops(loops),
        catalogue=unused,
        shipping=unused,
        tax=unused,
        placed_orders=unused,
    )
    return CommandApi(Table(ROUTES, RESOURCES), loops, {CONTEXT.name: UUID(int=9)}, services, actor_of)
