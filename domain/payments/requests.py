"""Decisions to ask the gateway for something. Each is recorded with its gateway key before the gateway is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.event import after, first
from domain.ids import AttemptId, CaptureId, OrderId, RefundId, UserId, payment_of
from domain.money import Money
from domain.payments.attempt import VOIDABLE, Attempt, Entry, EntryStatus, difference, find
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
) -> CaptureRequested | None:
    """Takes this much of what is authorised, all with None. The same one twice: nothing.

    Raises NothingToCapture, MoreThanAuthorised.
    """
    if any(stands(attempt.captures, id) for attempt in payment.attempts):
        return None
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


@dataclass(frozen=True, slots=True)
class Why:
    """Why money is given back, and in whose words: `note` is theirs, nobody's where no person asked."""

    reason: RefundReason
    asked_by: UserId | None = None
    note: str = ""


def refund(
    payment: Payment, id: RefundId, gateway_key: UUID, amount: Money | None, why: Why, *, at: datetime
) -> RefundRequested | None:
    """Gives back this much of one attempt's captured money, all of it with None. The same one twice: nothing.

    Raises NothingToRefund, MoreThanCaptured.
    """
    if any(stands(attempt.refunds, id) for attempt in payment.attempts):
        return None
    attempt = most_refundable(payment)
    wanted = positive(attempt.refundable if amount is None else amount)
    if wanted > attempt.refundable:
        raise MoreThanCaptured(wanted, attempt.refundable)
    return refund_asked(payment, attempt, id, gateway_key, wanted, why, at=at)


def refund_asked(
    payment: Payment, attempt: Attempt, id: RefundId, gateway_key: UUID, amount: Money, why: Why, *, at: datetime
) -> RefundRequested:
    return RefundRequested(
        **after(payment, at),
        attempt_id=attempt.id,
        refund_id=id,
        gateway_key=gateway_key,
        amount=amount,
        reason=why.reason,
        asked_by=why.asked_by,
        note=why.note,
    )


def stands(entries: Iterable[Entry], id: CaptureId | RefundId) -> bool:
    """Whether it is asked for already; what failed may be asked for again."""
    entry = find(entries, id)
    return entry is not None and entry.status is not EntryStatus.FAILED


def most_refundable(payment: Payment) -> Attempt:
    attempt = max(payment.attempts, key=lambda a: a.refundable.amount, default=None)
    if attempt is None or not attempt.refundable:
        raise NothingToRefund(payment.id)
    return attempt


def positive(amount: Money) -> Money:
    if not amount:
        raise NotPositive(amount)
    return amount
