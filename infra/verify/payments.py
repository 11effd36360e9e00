"""`chobo verify payments`: each payment beside what the gateway has of it, and each order beside its payment.

What differs may only be on its way: it is looked at once more after a while, and told if it still differs then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from commands.payments.gateway import Gateway, Intent, IntentStatus, RateLimited, Unknown
from domain.aggregate import States
from domain.ids import OrderId, PaymentId, payment_of
from domain.money import zero
from domain.orders.order import Order, Status
from domain.payments.attempt import Attempt, AttemptStatus
from domain.payments.payment import ChargeStatus, Payment
from infra.verify.finding import Code, Finding, Tally
from projections.pool import connected

PLACE: Final = "payments"
AT_ONCE: Final = 200  # payments in memory at a time
CALLS: Final = 8  # of the gateway at a time
PATIENCE: Final = 3.0  # seconds after which what differed is looked at again
TRIES: Final = 5  # of a gateway that does not answer

PAID: Final = """
SELECT DISTINCT originator_id FROM payments.stored_events
WHERE topic <> 'payments.webhook-received' AND recorded_at >= %s AND originator_id > %s
ORDER BY originator_id LIMIT %s
"""
ORDERED: Final = """
SELECT DISTINCT originator_id FROM orders.stored_events
WHERE topic <> 'orders.order-drafted' AND recorded_at >= %s AND originator_id > %s
ORDER BY originator_id LIMIT %s
"""
OWED: Final = frozenset({Status.CONFIRMED, Status.PARTIALLY_SHIPPED, Status.SHIPPED, Status.DELIVERED})
"""Orders in these are paid, or are about to be."""
CLOSED: Final = frozenset({Status.CANCELLED, Status.REJECTED, Status.EXPIRED})
"""Orders in these have none of their customer's money."""

Pool = AsyncConnectionPool[AsyncConnection[Any]]
Record = Callable[[Intent, PaymentId | None], Awaitable[None]]
"""Records what the gateway has and we have not: of a payment, or, with None, as unmatched."""


class Look(Protocol):
    async def states(self, ids: list[UUID]) -> States: ...


class NotTold(Exception):
    """The gateway did not answer."""


class PaymentCheck:
    """From `since` on. With `record` what the gateway knows and we do not is recorded; no money is moved."""

    def __init__(
        self,
        pools: dict[str, Pool],
        payments: Look,
        orders: Look,
        gateway: Gateway,
        since: datetime,
        *,
        record: Record | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.tally = Tally(PLACE)
        self._pools = pools
        self._payments = payments
        self._orders = orders
        self._gateway = gateway
        self._since = since
        self._record = record
        self._patience = patience
        self._room = asyncio.Semaphore(CALLS)

    async def findings(self) -> AsyncIterator[Finding]:
        """Raises psycopg.OperationalError, Unavailable."""
        async for ids in self._ids("payments", PAID):
            self.tally.checked += len(ids)
            for found in await self._compared(ids):
                yield self._found(found)
        for found in await self._strangers():
            yield self._found(found)
        async for ids in self._ids("orders", ORDERED):
            for found in await self._ordered(ids):
                yield self._found(found)

    def _found(self, finding: Finding) -> Finding:
        self.tally.add(finding)
        return finding

    async def _ids(self, context: str, query: str) -> AsyncIterator[list[UUID]]:
        """So many at a time, in order of id."""
        last = UUID(int=0)
        while True:
            async with connected(self._pools[context]) as connection:
                rows = await (await connection.execute(query.encode(), [self._since, last, AT_ONCE])).fetchall()
            if not rows:
                return
            yield [id for (id,) in rows]
            last = rows[-1][0]

    # -- payments and gateway

    async def _compared(self, ids: Sequence[UUID]) -> list[Finding]:
        """Twice, if need be; then what is left is recorded, if that is asked for."""
        first = await self._differing(ids)
        if not first:
            return []
        await asyncio.sleep(self._patience)
        findings = []
        for payment, found, intents in await self._differing([payment.id for payment, _, _ in first]):
            findings += await self._mended(payment, found, intents)
        return findings

    async def _differing(self, ids: Sequence[UUID]) -> list[tuple[Payment, list[Finding], list[Intent]]]:
        states = await self._payments.states(list(ids))
        payments = [payment for id in ids if (payment := states.get(id, Payment)) is not None]
        looked = await asyncio.gather(*(self._beside(payment) for payment in payments))
        return [(payment, found, intents) for payment, (found, intents) in zip(payments, looked, strict=True) if found]

    async def _beside(self, payment: Payment) -> tuple[list[Finding], list[Intent]]:
        """What differs, and what the gateway has of the payment."""
        findings, intents = [], []
        for attempt in payment.attempts:
            try:
                intent = await self._seen(payment, attempt)
            except NotTold as error:
                findings.append(of(payment, Code.NOT_COMPARED, f"attempt {attempt.id}: {error}"))
                continue
            findings += differences(payment, attempt, intent)
            intents += [intent] if intent else []
        return findings, intents

    async def _seen(self, payment: Payment, attempt: Attempt) -> Intent | None:
        """Raises NotTold."""
        if attempt.reference is not None:
            reference = attempt.reference
            intent: Intent | None = await self._asked(lambda: self._gateway.get(reference))
            return replace(intent, attempt_id=attempt.id) if intent else None
        found: Sequence[Intent] = await self._asked(lambda: self._gateway.find(payment.id))
        return next((intent for intent in found if intent.attempt_id == attempt.id), None)

    async def _asked(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        why = ""
        for _ in range(TRIES):
            async with self._room:
                answer = await ask()
            match answer:
                case RateLimited(seconds):
                    why = "the gateway's rate limit holds"
                    await asyncio.sleep(min(seconds, 30.0))
                case Unknown(why):
                    await asyncio.sleep(self._patience / TRIES)
                case _:
                    return answer
        raise NotTold(why)

    async def _mended(self, payment: Payment, found: list[Finding], intents: list[Intent]) -> list[Finding]:
        if self._record is None:
            return found
        for intent in intents:
            await self._record(intent, payment.id)
        left = await self._differing([payment.id])
        remaining = {(f.code, f.row) for _, still, _ in left for f in still}
        return [replace(f, repaired=(f.code, f.row) not in remaining) for f in found]

    async def _strangers(self) -> list[Finding]:
        """What the gateway has and no payment of ours."""
        try:
            made: Sequence[Intent] = await self._asked(lambda: self._gateway.since(self._since))
        except NotTold as error:
            return [Finding(Code.NOT_COMPARED, PLACE, f"what else the gateway has: {error}")]
        known = [id for intent in made if (id := intent.payment_id) is not None]
        states = await self._payments.states(list(known))
        findings = []
        for intent in made:
            payment = states.get(intent.payment_id, Payment) if intent.payment_id else None
            if payment is None or not has(payment, intent):
                findings.append(await self._stranger(intent, payment))
        return findings

    async def _stranger(self, intent: Intent, payment: Payment | None) -> Finding:
        """Kept as unmatched it is known, but still nobody's: somebody has to look at it."""
        detail = f"the gateway has {intent.reference}, {intent.status}, {intent.amount}, and no attempt of ours is that"
        if self._record is not None:
            await self._record(intent, None)
        return Finding(Code.NOT_IN_PAYMENTS, PLACE, detail, payment.id if payment else intent.payment_id)

    # -- orders and payments

    async def _ordered(self, ids: Sequence[UUID]) -> list[Finding]:
        suspect = await self._unbalanced(ids)
        if not suspect:
            return []
        await asyncio.sleep(self._patience)
        return [finding for _, finding in await self._unbalanced([id for id, _ in suspect])]

    async def _unbalanced(self, ids: Sequence[UUID]) -> list[tuple[UUID, Finding]]:
        orders = await self._orders.states(list(ids))
        payments = await self._payments.states([payment_of(OrderId(id)) for id in ids])
        found = []
        for id in ids:
            order, payment = orders.get(id, Order), payments.get(payment_of(OrderId(id)), Payment)
            found += [(id, finding) for finding in (imbalances(order, payment) if order else ())]
        return found


def differences(payment: Payment, attempt: Attempt, intent: Intent | None) -> Iterator[Finding]:
    """Between an attempt as we have it and as the gateway has it."""
    if intent is None:
        if attempt.reference is not None:
            yield of(payment, Code.NOT_AT_GATEWAY, f"the gateway has no {attempt.reference}", attempt)
        return
    if intent.amount != attempt.amount:
        yield of(payment, Code.AMOUNT_DIFFERS, told(attempt.amount, intent.amount), attempt)
        return
    if not same_status(attempt, intent.status):
        yield of(payment, Code.STATUS_DIFFERS, told(attempt.status, intent.status), attempt)
    if intent.captured != attempt.captured:
        yield of(payment, Code.CAPTURED_DIFFERS, told(attempt.captured, intent.captured), attempt)
    refunded = sum((r.amount for r in intent.refunds if r.status == "SUCCEEDED"), zero(attempt.amount.currency))
    if refunded != attempt.refunded:
        yield of(payment, Code.REFUNDED_DIFFERS, told(attempt.refunded, refunded), attempt)
    if intent.charged_back is not None and intent.charged_back != attempt.charged_back:
        yield of(payment, Code.CHARGED_BACK_DIFFERS, told(attempt.charged_back, intent.charged_back), attempt)


def same_status(attempt: Attempt, status: IntentStatus) -> bool:
    """Once money is captured its sums say how it stands."""
    if attempt.captured:
        return status in (IntentStatus.CAPTURED, IntentStatus.VOIDED, IntentStatus.AUTH_EXPIRED)
    return str(attempt.told) == str(status)


def has(payment: Payment, intent: Intent) -> bool:
    if intent.attempt_id is not None:
        return payment.attempt(intent.attempt_id) is not None
    return any(attempt.reference == intent.reference for attempt in payment.attempts)


def imbalances(order: Order, payment: Payment | None) -> Iterator[Finding]:
    """Between an order and its money. What is under way is not told: a to-do sees to it, or says why it cannot."""
    if payment is not None and payment.status is ChargeStatus.OVERCHARGED and not refunding(payment):
        detail = f"{payment.paid} was taken, {payment.due} is due"
        yield Finding(Code.CHARGED_TWICE, PLACE, detail, payment.id, row=order.id)
    if order.status in OWED and order.total and (payment is None or payment.status is ChargeStatus.NONE):
        detail = f"order {order.id} is {order.status} and has no authorised or captured money"
        yield Finding(Code.ORDER_WITHOUT_MONEY, PLACE, detail, payment.id if payment else None, row=order.id)
    if order.status in CLOSED and payment is not None and holds(payment):
        detail = f"order {order.id} is {order.status}, and its customer's money is still here: {payment.status}"
        yield Finding(Code.MONEY_WITHOUT_ORDER, PLACE, detail, payment.id, row=order.id)


def refunding(payment: Payment) -> bool:
    return any(attempt.refunding for attempt in payment.attempts)


def holds(payment: Payment) -> bool:
    """Money that nobody is about to give back."""
    return any(attempt.refundable or holds_back(attempt) for attempt in payment.attempts)


def holds_back(attempt: Attempt) -> bool:
    return attempt.told is AttemptStatus.AUTHORISED and attempt.voidable


def of(payment: Payment, code: Code, detail: str, attempt: Attempt | None = None) -> Finding:
    return Finding(code, PLACE, detail, payment.id, row=attempt.id if attempt else None)


def told(ours: object, theirs: object) -> str:
    return f"here it is {ours}, at the gateway {theirs}"
