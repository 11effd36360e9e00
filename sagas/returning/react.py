"""What a return makes of what it hears. It begins when the order names it: one return after another."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from domain.ids import OrderId, RefundId, ReturnId, SagaId, refund_of, return_of
from domain.orders.events import OrderReturned, SagaAssigned
from domain.payments.events import PaymentRefunded, RefundFailed
from domain.sagas.money import Refunded, RefundRefused
from domain.sagas.returning.facts import ReturnAssigned, Returned
from domain.sagas.saga import Saga
from sagas.definition import Completes, Fails, Means
from sagas.money import FACTS
from sagas.process import Process
from sagas.returning.steps import REFUND, RETURN

returning: Final = Process("return", {1: RETURN}, starts=[Returned, ReturnAssigned])


def refund_key(event: OrderReturned) -> RefundId:
    return refund_of(OrderId(event.originator_id), ReturnId(event.return_id))


def of_return(event: OrderReturned) -> SagaId:
    return return_of(refund_key(event))


@returning.hears(OrderReturned, saga=of_return, key=refund_key)
def returned(event: OrderReturned) -> Returned:
    return Returned(order_id=event.originator_id, return_id=event.return_id, refund=event.refund, restock=event.restock)


def named(event: SagaAssigned) -> SagaId:
    return event.saga_id


def unknown_key(event: SagaAssigned) -> UUID:
    """An assignment names the saga alone; the return it is about came before it, from the same stream."""
    return event.saga_id


@returning.hears(SagaAssigned, saga=named, key=unknown_key, opens=False)
def assigned(event: SagaAssigned) -> ReturnAssigned | None:
    return ReturnAssigned(order_id=event.originator_id) if event.process == returning.name else None


def of_refund(event: PaymentRefunded | RefundFailed) -> SagaId:
    return return_of(RefundId(event.refund_id))


returning.hears(PaymentRefunded, saga=of_refund, opens=False)(FACTS[PaymentRefunded])
returning.hears(RefundFailed, saga=of_refund, opens=False)(FACTS[RefundFailed])


@returning.on(Refunded)
def refunded(saga: Saga, fact: Refunded) -> Means:
    return Completes(REFUND)


@returning.on(RefundRefused)
def refused(saga: Saga, fact: RefundRefused) -> Means:
    return Fails(REFUND, fact.code)
