"""What checkout makes of what it hears."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from domain.ids import OrderId, PaymentId, SagaId, checkout_of, payment_of
from domain.orders.events import CancellationRequested, OrderEvent, OrderPlaced
from domain.sagas.checkout.facts import CancellationWished, Placed, Wanted
from domain.sagas.events import Course, Outcome
from domain.sagas.money import (
    ActionNeeded,
    AuthorisationLost,
    Authorised,
    Captured,
    CaptureRefused,
    Declined,
    MoneyFact,
    Pending,
    Refunded,
    RefundRefused,
    Voided,
)
from domain.sagas.saga import Saga
from sagas.checkout.steps import AUTHORISE, CANCELLED, CAPTURE, CHECKOUT, DECLINED, HOLD, RESERVE
from sagas.definition import Completes, Fails, Means, TakesBack, Verdict
from sagas.money import hear_money, money_moved
from sagas.process import Process

checkout: Final = Process("checkout", {1: CHECKOUT}, starts=[Placed])


def of_order(event: OrderEvent) -> SagaId:
    return checkout_of(payment_of(OrderId(event.originator_id)))


def key_of(event: OrderEvent) -> PaymentId:
    """An instance is known by its payment's id, which both contexts lead to."""
    return payment_of(OrderId(event.originator_id))


@checkout.hears(OrderPlaced, saga=of_order, key=key_of)
def placed(event: OrderPlaced) -> Placed:
    wanted: Counter[UUID] = Counter()
    for line in event.lines:
        wanted[line.variant_id] += line.quantity
    lines = tuple(Wanted(variant_id=id, quantity=n) for id, n in wanted.items())
    return Placed(order_id=event.originator_id, lines=lines, total=event.total, method=event.payment_method)


@checkout.hears(CancellationRequested, saga=of_order, key=key_of)
def cancellation_requested(event: CancellationRequested) -> CancellationWished:
    return CancellationWished()


hear_money(checkout, checkout_of, opens=True)


@checkout.on(CancellationWished)
def cancel(saga: Saga, fact: CancellationWished) -> Means:
    return CANCELLED if saga.course is Course.FORWARD and not saga.ended else Verdict.NOTHING


@checkout.on(Authorised)
def authorised(saga: Saga, fact: Authorised) -> Means:
    return Completes(AUTHORISE) if going(saga) else too_late(saga, fact)


@checkout.on(Captured)
def captured(saga: Saga, fact: Captured) -> Means:
    """A bank transfer is captured as it arrives."""
    if not going(saga):
        return too_late(saga, fact)
    return Completes(AUTHORISE if saga.step == AUTHORISE else CAPTURE)


@checkout.on(Declined, AuthorisationLost, Voided)
def not_paid(saga: Saga, fact: MoneyFact) -> Means:
    if not going(saga):
        return too_late(saga, fact)
    return DECLINED if saga.step == AUTHORISE else Verdict.NOTHING


@checkout.on(CaptureRefused)
def capture_refused(saga: Saga, fact: CaptureRefused) -> Means:
    return Fails(CAPTURE, fact.code) if going(saga) else too_late(saga, fact)


@checkout.on(ActionNeeded, Pending, Refunded, RefundRefused)
def otherwise(saga: Saga, fact: MoneyFact) -> Means:
    return Verdict.NOTHING if going(saga) else too_late(saga, fact)


def too_late(saga: Saga, fact: MoneyFact) -> Means:
    """Where the order went on without this saga, its money is another's business."""
    if saga.outcome in (Outcome.DONE, Outcome.HANDED_OVER):
        return Verdict.NOTHING
    return money_moved(saga, fact)


@checkout.when(HOLD)
def hold_ran_out(saga: Saga) -> Means:
    """While it is not known whether the customer can pay, others may have the goods."""
    waits = saga.step == AUTHORISE and saga.wish is None
    return TakesBack(RESERVE) if going(saga) and waits else Verdict.NOTHING


def going(saga: Saga) -> bool:
    return saga.course is Course.FORWARD and not saga.ended
