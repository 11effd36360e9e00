"""What the logs and the gateway have of an order, read from outside while other processes write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg

from commands.loop import WriteLoop
from domain import orders, payments, products, sagas
from domain.ids import OrderId, ReservationId, VariantId, cancellation_of, checkout_of, payment_of
from domain.orders.order import Order
from domain.payments.payment import Payment
from domain.products.reservation import Reservation
from domain.products.stock import Stock
from domain.sagas.saga import Saga
from infra.cli.databases import opened
from infra.event_log.log import EventLog
from infra.gateway.sandbox import SandboxGateway
from infra.keys import PersonalKeys
from infra.settings import Settings
from sagas.checkout.steps import ROUNDS, reservation_of

CONTEXTS: Final = (orders.CONTEXT, products.CONTEXT, payments.CONTEXT, sagas.CONTEXT)

# Nothing is left to be told to anybody, and nothing to be done but by timers.
IDLE: Final = """
SELECT NOT EXISTS (SELECT FROM projections.todo WHERE status = 'OPEN' AND NOT kind = ANY (%(waiting)s))
    AND NOT EXISTS (
        SELECT FROM projections.checkpoints c JOIN (
            SELECT 'orders' AS context, max(notification_id) AS head FROM orders.stored_events
            UNION ALL SELECT 'payments', max(notification_id) FROM payments.stored_events
            UNION ALL SELECT 'sagas', max(notification_id) FROM sagas.stored_events
        ) h USING (context)
        WHERE consumer IN ('todo', 'sagas') AND greatest(floor, (
            SELECT max(position) FROM projections.slice_checkpoints s
            WHERE (s.consumer, s.context) = (c.consumer, c.context))) < h.head)
"""
WAITING: Final = ["saga-timer", "gateway-look"]


@dataclass(frozen=True)
class Intent:
    """Of the gateway, in minor units."""

    id: str
    status: str
    amount: int
    capturable: int
    captured: int
    refunds: tuple[tuple[str, int], ...]

    @property
    def kept(self) -> int:
        """What the gateway holds or took of the customer's money and did not give back."""
        return self.capturable + self.captured - sum(amount for status, amount in self.refunds if status != "failed")


@dataclass(frozen=True)
class Books:
    """The states are the logs' newest."""

    loops: dict[str, WriteLoop]
    conninfo: str
    gateway: SandboxGateway

    async def of(self, context: str, ids: Iterable[UUID], cls: type[Any]) -> list[Any]:
        """Those that there are."""
        states = await self.loops[context].states(ids := list(ids))
        return [state for id in ids if (state := states.get(id, cls)) is not None]

    async def order(self, id: OrderId) -> Order | None:
        return next(iter(await self.of("orders", [id], Order)), None)

    async def payment(self, id: OrderId) -> Payment | None:
        return next(iter(await self.of("payments", [payment_of(id)], Payment)), None)

    async def sagas(self, id: OrderId) -> list[Saga]:
        return await self.of("sagas", [of(payment_of(id)) for of in (checkout_of, cancellation_of)], Saga)

    async def reservations(self, id: OrderId) -> list[Reservation]:
        return await self.of("products", reservations_of(id), Reservation)

    async def stock(self, id: VariantId) -> Stock:
        (found,) = await self.of("products", [id], Stock)
        stock: Stock = found
        return stock

    def intents(self, id: OrderId) -> list[Intent]:
        """By the order's id, which we tell the gateway."""
        state = self.gateway.state
        mine = [each for each in state.of("payment_intent") if each["metadata"].get("order_id") == str(id)]
        return [intent_of(each, state.under(each["id"], "refund")) for each in mine]

    def idle(self) -> bool:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            found = connection.execute(IDLE, {"waiting": WAITING}).fetchone()
        assert found
        return bool(found[0])


def reservations_of(id: OrderId) -> list[ReservationId]:
    return [reservation_of(id, round) for round in range(1, ROUNDS + 1)]


def intent_of(intent: dict[str, Any], refunds: list[dict[str, Any]]) -> Intent:
    given = tuple(sorted((refund["status"], refund["amount"]) for refund in refunds))
    captured, capturable = intent["amount_received"], intent["amount_capturable"]
    return Intent(intent["id"], intent["status"], intent["amount"], capturable, captured, given)


@asynccontextmanager
async def books(settings: Settings, gateway: SandboxGateway) -> AsyncIterator[Books]:
    """Once the schemas are there."""
    conninfo = settings.database_of("orders")
    assert conninfo
    async with AsyncExitStack() as stack:
        names = [*(context.name for context in CONTEXTS), "users"]
        databases = await stack.enter_async_context(opened(settings, names, reads=False))
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        loops = {}
        for context in CONTEXTS:
            log = EventLog(databases.conninfo(context.name), databases.pool(context.name), context, keys)
            stack.push_async_callback(log.close)
            loops[context.name] = WriteLoop(context, {}, log)
        yield Books(loops, conninfo, gateway)
