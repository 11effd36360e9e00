"""A context of one aggregate, made up for the tests of the HTTP layer, on a write loop that lives in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import httpx
from pydantic import BaseModel, Field

from commands.app import app
from commands.handler import Answer
from commands.http import CommandApi
from commands.message import Command
from commands.reply import Envelope, KeyReused, Reply
from commands.route import ACCEPTED, CREATED, IGNORED, REQUIRED, Resource, Route
from commands.services import Loops, Services
from commands.table import Table
from domain.access import TokenExpired, TokenInvalid
from domain.actor import ANONYMOUS, Actor, Role, service
from domain.aggregate import States
from domain.errors import AlreadyExists, DomainError, Forbidden, NotAllowedNow, StaleVersion
from domain.ids import new_id
from domain.money import Money
from domain.value import Line, Name
from infra.claims import HiddenClaims

CONTEXT = "commands"  # the second part of this module's name, as in commands.orders.messages
INCARNATION = UUID(int=7)


class Status(Enum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Stall:
    id: UUID
    version: int
    status: Status
    owner: UUID | None


class Goods(BaseModel, frozen=True, strict=True, extra="forbid"):
    sku: Line
    quantity: Annotated[int, Field(ge=1, le=1000)]


class OpenStall(Command):
    """Opens a stall."""

    id: UUID = Field(default_factory=new_id)
    name: Name
    rent: Money | None = None
    goods: Annotated[tuple[Goods, ...], Field(max_length=3)] = ()


class RenameStall(Command):
    """Changes the name."""

    name: Name


class CloseStall(Command):
    """Closes it for good."""


class Ask(Command):
    question: str


class SignIn(Command):
    password: str


class Told(BaseModel):
    answer: str


@dataclass
class FakeLoop:
    states_: dict[UUID, Stall] = field(default_factory=dict)
    replies: dict[UUID, tuple[bytes, Reply]] = field(default_factory=dict)
    seen: list[Envelope] = field(default_factory=list)
    fails_with: Exception | None = None

    async def states(self, ids: Iterable[UUID]) -> States:
        return States(self.states_.get)

    async def submit(self, envelope: Envelope) -> Reply:
        self.seen.append(envelope)
        if self.fails_with:
            raise self.fails_with
        key = envelope.key
        if key and key.id in self.replies:
            digest, reply = self.replies[key.id]
            return reply.again() if digest == key.digest else Reply(None, KeyReused())
        reply = self._decided(envelope)
        if key and (reply.refusal is None or reply.refusal.final):
            self.replies[key.id] = (key.digest, reply)
        return reply

    def _decided(self, envelope: Envelope) -> Reply:
        try:
            state = self._changed(envelope)
        except DomainError as error:
            return Reply(None, error)
        self.states_[state.id] = state
        return Reply(Answer(state.id, state.version, state.status.name), None, ((3, len(self.seen)),))

    def _changed(self, envelope: Envelope) -> Stall:
        command, old = envelope.command, self.states_.get(envelope.command.target)
        if isinstance(command, OpenStall | SignIn):
            if old:
                raise AlreadyExists("stall", command.target)
            return Stall(command.target, 1, Status.OPEN, command.by.id)
        stall = States(self.states_.get)[command.target, Stall]
        if envelope.expected_version not in (None, stall.version):
            raise StaleVersion(stall.id, envelope.expected_version or 0, stall.version)
        if stall.status is Status.CLOSED:
            raise NotAllowedNow("stall", stall.id, stall.status, Status.OPEN)
        status = Status.CLOSED if isinstance(command, CloseStall) else stall.status
        return replace(stall, version=stall.version + 1, status=status)


async def told(message: Ask, services: Services) -> Told:
    return Told(answer=message.question[::-1])


async def hashed(message: SignIn, services: Services) -> SignIn:
    return SignIn(password="#" + message.password).bind(by=ANONYMOUS, target=new_id())


async def tokens(command: SignIn, answer: Answer, services: Services) -> dict[str, Any]:
    if command.password == "#wrong password":
        raise Forbidden("no")
    return {"accessToken": "abc"}


ROUTES = [
    Route("/v1/stalls", OpenStall, scope="orders:place", key=REQUIRED, answer=CREATED),
    Route("/v1/stalls/{id}/rename", RenameStall, scope="orders:cancel", edits=True),
    Route("/v1/stalls/{id}/close", CloseStall, scope="orders:ship", answer=ACCEPTED),
    Route("/v1/questions", Ask, scope="quotes:ask", serve=told, answers=Told, key=IGNORED),
    Route("/v1/sign-ins", SignIn, scope="sessions:open", prepare=hashed, respond=tokens, key=IGNORED),
]
RESOURCES = [Resource("stalls", Stall, CONTEXT, scope="orders:look", owner=lambda stall: stall.owner)]

ANN, BOB = Actor(UUID(int=1), frozenset({Role.CUSTOMER})), Actor(UUID(int=2), frozenset({Role.CUSTOMER}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
TOKENS = {"ann": ANN, "bob": BOB, "staff": STAFF, "checkout": service("checkout")}


def authenticate(token: str) -> Actor:
    if token == "expired":
        raise TokenExpired
    if token not in TOKENS:
        raise TokenInvalid("nobody knows it")
    return TOKENS[token]


def services(loop: FakeLoop) -> Services:
    """None of the made-up routes uses more than the states."""
    unused: Any = None
    return Services(
        claims=HiddenClaims("a secret"),
        keys=unused, passwords=unused, tokens=unused, catalogue=unused, shipping=unused, tax=unused,
        placed_orders=unused,
        states=Loops({CONTEXT: loop}),
    )  # fmt: skip


def api(loop: FakeLoop, body_limit: int = 2000) -> CommandApi:
    table = Table(ROUTES, RESOURCES)
    return CommandApi(table, {CONTEXT: loop}, {CONTEXT: INCARNATION}, services(loop), authenticate, body_limit)


def no_keys() -> dict[str, Any]:
    return {"keys": []}


@asynccontextmanager
async def client(loop: FakeLoop, token: str | None = "ann", **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app(api(loop, **options), ROUTES, RESOURCES, jwks=no_keys))
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo", headers=headers) as c:
        yield c
