"""What cancellation makes of what it hears. It begins when the order names it, and starts from the ledger."""

from __future__ import annotations

from typing import Final

from domain.ids import OrderId, PaymentId, SagaId, cancellation_of, payment_of
from domain.orders.events import SagaAssigned
from domain.sagas.cancellation.facts import CancellationAssigned
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
from sagas.cancellation.steps import CANCELLATION
from sagas.definition import Means
from sagas.money import hear_money, money_moved
from sagas.process import Process

cancellation: Final = Process("cancellation", {1: CANCELLATION}, starts=[CancellationAssigned])


def of_order(event: SagaAssigned) -> SagaId:
    return cancellation_of(payment_of(OrderId(event.originator_id)))


def key_of(event: SagaAssigned) -> PaymentId:
    return payment_of(OrderId(event.originator_id))


@cancellation.hears(SagaAssigned, saga=of_order, key=key_of)
def assigned(event: SagaAssigned) -> CancellationAssigned | None:
    return CancellationAssigned(order_id=event.originator_id) if event.process == cancellation.name else None


hear_money(cancellation, cancellation_of, opens=False)


@cancellation.on(
    Authorised,
    Declined,
    ActionNeeded,
    Pending,
    Voided,
    AuthorisationLost,
    Captured,
    CaptureRefused,
    Refunded,
    RefundRefused,
)
def moved(saga: Saga, fact: MoneyFact) -> Means:
    return money_moved(saga, fact)
