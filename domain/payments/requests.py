"""Decisions to ask the gateway for something. Each is recorded with its gateway key before the gateway is asked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.event import after, first
from domain.ids import AttemptId, CaptureId, OrderId, RefundId, UserId, payment_of
from domain.money import Money
from domain.payments.attempt import Attempt, AttemptStatus, difference
from domain.payments.errors import (
    AttemptActive,
    CaptureUnderWay,
    MoreThanAuthorised,
    MoreThanCaptured,
    NothingToCapture,
    NothingToPay,
    NothingToRefund,
    NothingToVoid,
    NotPositive,
)
from domain.payments.events import (
    AttemptCreated,
    CaptureRequested,
    PaymentOpened,
    RefundReason,
    RefundRequested,
    VoidRequested,
)
from domain.payments.payment import Payment
from domain.value import PaymentMethod

VOIDABLE = {AttemptStatus.CREATED, AttemptStatus.ACTION_REQUIRED, AttemptStatus.PENDING, AttemptStatus.AUTHORISED}


def open_payment(order_id: OrderId, customer_id: UserId, due: Money, *, at: datetime) -> PaymentOpened:
    return PaymentOpened(**first(payment_of(order_id), at), order_id=order_id, customer_id=customer_id, due=due)


def begin(
    payment: Payment, id: AttemptId, gateway_key: UUID, method: PaymentMethod, token: str | None, *, at: datetime
) -> AttemptCreated | None:
    """An attempt at what is left to pay. The same one twice: nothing. Raises AttemptActive, NothingToPay."""
    if payment.attempt(id):
        return None
    if active := payment.active:
        raise AttemptActive(active.id, active.status)
    if not (amount := difference(payment.due, payment.paid)):
        raise NothingToPay(payment.id)
    return AttemptCreated(
        **after(payment, at),
        customer_id=payment.customer_id,
        attempt_id=id,
        gateway_key=gateway_key,
        method=method,
        amount=amount,
        token=token,
    )


def capture(
    payment: Payment, id: CaptureId, gateway_key: UUID, amount: Money | None = None, *, at: datetime
) -> CaptureRequested:
    """Takes this much of what is authorised, all with None. Raises NothingToCapture, MoreThanAuthorised."""
    attempt = next((a for a in payment.attempts if a.capturable), None)
    if attempt is None:
        raise NothingToCapture(payment.id)
    wanted = positive(attempt.capturable if amount is None else amount)
    if wanted > attempt.capturable:
        raise MoreThanAuthorised(wanted, attempt.capturable)
    return CaptureRequested(
        **after(payment, at), attempt_id=attempt.id, capture_id=id, gateway_key=gateway_key, amount=wanted
    )


def void(payment: Payment, gateway_key: UUID, *, at: datetime) -> VoidRequested | None:
    """Lets go of what is held. Asked twice: nothing. Raises NothingToVoid, CaptureUnderWay."""
    attempt = payment.active
    if attempt is None or attempt.status not in VOIDABLE:
        raise NothingToVoid(payment.id)
    if attempt.capturing:
        raise CaptureUnderWay(payment.id)
    if attempt.void_key:
        return None
    return VoidRequested(**after(payment, at), attempt_id=attempt.id, gateway_key=gateway_key)


def refund(
    payment: Payment, id: RefundId, gateway_key: UUID, amount: Money | None, reason: RefundReason, *, at: datetime
) -> RefundRequested:
    """Gives back this much of one attempt's captured money, all of it with None.

    Raises NothingToRefund, MoreThanCaptured.
    """
    attempt = most_refundable(payment)
    wanted = positive(attempt.refundable if amount is None else amount)
    if wanted > attempt.refundable:
        raise MoreThanCaptured(wanted, attempt.refundable)
    return RefundRequested(
        **after(payment, at), attempt_id=attempt.id, refund_id=id, gateway_key=gateway_key, amount=wanted, reason=reason
    )


def most_refundable(payment: Payment) -> Attempt:
    attempt = max(payment.attempts, key=lambda a: a.refundable.amount, default=None)
    if attempt is None or not attempt.refundable:
        raise NothingToRefund(payment.id)
    return attempt


def positive(amount: Money) -> Money:
    if not amount:
        raise NotPositive(amount)
    return amount
