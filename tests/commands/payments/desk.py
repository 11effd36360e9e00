"""The payments context on a real database, behind HTTP; the gateway is in memory, orders are made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from psycopg_pool import AsyncConnectionPool

from commands.app import app
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.message import Command
from commands.payments.gateway import Hook, Intent, RateLimited, Unknown
from commands.payments.handlers import HANDLERS
from commands.payments.routes import RESOURCES, ROUTES
from commands.payments.webhooks import POST, Webhooks
from commands.reply import Envelope, Reply
from commands.services import Loops, PaymentChoice, Services
from commands.table import Table
from domain.access import TokenInvalid
from domain.actor import Actor, Role, service
from domain.errors import NotFound
from domain.event import JSON, Event
from domain.ids import AttemptId, OrderId, PaymentId, UserId, new_id, payment_of
from domain.money import Money
from domain.payments import CONTEXT
from domain.payments.attempt import Attempt
from domain.payments.payment import Payment
from domain.value import PaymentMethod
from infra.claims import HiddenClaims
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.gateway.faults import Fault
from infra.gateway.memory import MemoryGateway
from infra.keys import PersonalKeys, migrate_keys
from infra.paying import RULES, AskGateway
from projections.asking import TodoSink
from projections.doing import Done, Later
from projections.pool import Pool
from projections.todo import Asked, Work

ANN = Actor(UUID(int=1), frozenset({Role.CUSTOMER}))
BOB = Actor(UUID(int=2), frozenset({Role.CUSTOMER}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
OPERATOR = Actor(UUID(int=4), frozenset({Role.OPERATOR}))
CHECKOUT = service("checkout")
ACTORS = {"ann": ANN, "bob": BOB, "staff": STAFF, "operator": OPERATOR, "checkout": CHECKOUT}
CUSTOMER = UserId(UUID(int=1))
GOOD, DECLINED, REDIRECT, TRANSFER = (
    "pm_card_visa",
    "pm_card_chargeDeclinedInsufficientFunds",
    "pm_card_authenticationRequired",
    "pm_bankTransfer",
)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


@dataclass
class Orders:
    """Placed orders, by what their customer chose; a refusal where it cannot be told."""

    placed: dict[UUID, PaymentChoice | Exception] = field(default_factory=dict)

    def place(self, token: str | None = GOOD, total: int = 1000) -> OrderId:
        id = OrderId(new_id())
        self.placed[id] = PaymentChoice(CUSTOMER, eur(total), PaymentMethod.CREDIT_CARD, token)
        return id

    async def choice(self, order_id: OrderId) -> PaymentChoice:
        found = self.placed.get(order_id, NotFound("order", order_id))
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Clock:
    """The gateway's and ours."""

    moved: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


@dataclass
class Trouble:
    """What goes wrong at the gateway: by call, one fault after another; some calls must not be made at all."""

    faults: dict[str, list[Fault]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)

    def __call__(self, call: str) -> Fault | None:
        assert call not in self.forbidden, f"{call} was asked for"
        return self.faults[call].pop(0) if self.faults.get(call) else None

    def at(self, call: str, *faults: Fault) -> None:
        self.faults[call] = list(faults)

    def forbid(self, call: str) -> None:
        self.forbidden.add(call)


@dataclass
class Desk:
    """One process. `work` does what its events ask of the gateway."""

    loop: WriteLoop
    client: httpx.AsyncClient
    orders: Orders
    gateway: MemoryGateway
    act: AskGateway
    keys: PersonalKeys
    reader: LogReader
    pool: Pool
    clock: Clock
    trouble: Trouble
    counted: Counter[str]
    run: str = field(default_factory=lambda: uuid4().hex)

    async def post(self, path: str, *, by: str = "checkout", key: str | None = None, **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {by}", "idempotency-key": key or uuid4().hex}
        return await self.client.post(path, json=body, headers=headers)

    async def ask(self, id: UUID, verb: str, *, by: str = "checkout", **body: Any) -> httpx.Response:
        return await self.post(f"/v1/payments/{id}/{verb}", by=by, **body)

    async def begun(self, token: str | None = GOOD, total: int = 1000) -> UUID:
        order_id = self.orders.place(token, total)
        answer = await self.post("/v1/payments", orderId=str(order_id))
        assert answer.status_code == 201, answer.text
        return payment_of(order_id)

    async def authorised(self, token: str | None = GOOD) -> UUID:
        id = await self.begun(token)
        await self.work()
        return id

    async def captured(self, amount: int | None = None, token: str | None = GOOD) -> UUID:
        id = await self.authorised(token)
        wanted: dict[str, Any] = {} if amount is None else {"amount": eur(amount).model_dump()}
        assert (await self.ask(id, "capture", **wanted)).status_code == 202
        await self.work()
        return id

    async def payment(self, id: UUID) -> Payment:
        return (await self.loop.states([id]))[id, Payment]

    async def attempt(self, id: UUID) -> Attempt:
        return (await self.payment(id)).attempts[-1]

    async def seen(self, id: UUID) -> Intent:
        """The last attempt as the gateway has it."""
        found = await self.gateway.find(PaymentId(id))
        assert not isinstance(found, Unknown | RateLimited)
        return found[0]

    async def look(self, id: UUID, by: str) -> httpx.Response:
        return await self.client.get(f"/v1/payments/{id}", headers={"authorization": f"Bearer {by}"})

    async def tell(self, command: Command, target: UUID, by: Actor = CHECKOUT) -> Reply:
        return await self.loop.submit(Envelope(command.bind(by=by, target=target), "test"))

    async def hear(self, hook: Hook, name: str = "memory") -> httpx.Response:
        body, headers = self.gateway.post(hook)
        return await self.send(body, headers, name)

    async def send(self, body: bytes, headers: dict[bytes, bytes], name: str = "memory") -> httpx.Response:
        sent = {key.decode(): value.decode() for key, value in headers.items()}
        return await self.client.post(f"/v1/webhooks/{name}", content=body, headers=sent)

    async def events(self) -> list[Event]:
        return [recorded.event for recorded in (await self.reader.read(0, 1000)).events]

    async def types(self) -> list[str]:
        return [event.TOPIC.partition(".")[2] for event in await self.events()]

    async def asked(self) -> list[Asked]:
        """The to-do rows that the log asks for."""
        sink = TodoSink("payments", RULES)
        return [row for recorded in (await self.reader.read(0, 1000)).events for row in sink.asked(recorded)]

    async def work(self) -> list[Done | Later]:
        """What can be done now, once."""
        said: list[Done | Later] = []
        for row in await self.asked():
            if await self.act.known(work := work_of(row)) is None:
                outcome = await self.act.do(work)
                assert isinstance(outcome, Done | Later)
                if isinstance(outcome, Done):
                    await self.act.record(work, outcome)
                said.append(outcome)
        return said


def work_of(row: Asked, *, attempt: int = 1, tried_for: float = 0.0, data: JSON | None = None) -> Work:
    return Work(
        row.id,
        row.kind,
        row.context,
        row.subject,
        row.data if data is None else data,
        attempt,
        tried_for,
        None,
        row.correlation_id,
        row.causation_id,
        row.traceparent,
        row.id,
    )


def new_attempt() -> AttemptId:
    return AttemptId(new_id())


def no_keys() -> dict[str, Any]:
    return {"keys": []}


def actor_of(token: str) -> Actor:
    if token not in ACTORS:
        raise TokenInvalid("nobody knows it")
    return ACTORS[token]


@asynccontextmanager
async def opened(conninfo: str) -> AsyncIterator[Desk]:
    await migrate(conninfo, [CONTEXT.name, "users"])
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=8, open=False) as pool:
        async with pool.connection() as connection:
            await migrate_keys(connection)
        keys = PersonalKeys(pool, bytes(32))
        for actor in ACTORS.values():
            if actor.id:
                await keys.create(UserId(actor.id))
        log = EventLog(conninfo, pool, CONTEXT, keys)
        await log.open()
        clock, orders, trouble, counted = Clock(), Orders(), Trouble(), Counter[str]()
        loop, gateway, reader = (
            WriteLoop(CONTEXT, HANDLERS, log),
            MemoryGateway(clock, trouble),
            LogReader(pool, "payments", keys),
        )
        hooks = Webhooks(
            {gateway.name: gateway}, loop, lambda _, outcome: counted.update([outcome]), now=clock, body_limit=2_000
        )
        served = app(api(loop, orders, clock), ROUTES, RESOURCES, jwks=no_keys, raw={POST: hooks})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://chobo") as client:
            act = AskGateway(loop, reader, gateway, clock)
            yield Desk(loop, client, orders, gateway, act, keys, reader, pool, clock, trouble, counted)
        await loop.close()
        await log.close()


def api(loop: WriteLoop, orders: Orders, clock: Clock) -> CommandApi:
    unused: Any = None
    services = Services(
        keys=unused,
        passwords=unused,
        claims=HiddenClaims("a secret"),
        tokens=unused,
        states=Loops({"payments": loop}),
        catalogue=unused,
        shipping=unused,
        tax=unused,
        placed_orders=orders,
        now=clock,
    )
    return CommandApi(Table(ROUTES, RESOURCES), {"payments": loop}, {"payments": UUID(int=9)}, services, actor_of)
