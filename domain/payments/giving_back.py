"""Giving back all of the customer's money, whatever became of it: what is held is let go, what is captured refunded.

Asked again after each outcome it comes to an end: outcomes may be failures, late, or other than was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from domain.event import after
from domain.ids import RefundId
from domain.payments.attempt import Attempt
from domain.payments.errors import MoneyUnderWay, NothingToGiveBack
from domain.payments.events import RefundRequested, VoidRequested
from domain.payments.payment import Payment, evolve
from domain.payments.requests import Why, refund_asked

Request = VoidRequested | RefundRequested
Ids = Callable[[], UUID]


def give_back(payment: Payment, why: Why, ids: Ids, *, at: datetime) -> list[Request]:
    """For each attempt what can be asked for now.

    Raises MoneyUnderWay when that is nothing until an outcome is known, NothingToGiveBack when nothing is left.
    """
    asked: list[Request] = []
    for attempt in payment.attempts:
        for ask in wanted(attempt):
            request = ask(payment, attempt, why, ids, at)
            payment = evolve(payment, request)
            asked.append(request)
    if asked:
        return asked
    if any(under_way(attempt) for attempt in payment.attempts):
        raise MoneyUnderWay(payment.id)
    raise NothingToGiveBack(payment.id)


def wanted(attempt: Attempt) -> Iterator[Callable[[Payment, Attempt, Why, Ids, datetime], Request]]:
    """Both, where a part was captured and the rest is still held."""
    if attempt.voidable:
        yield let_go
    if attempt.refundable:
        yield refund_all


def let_go(payment: Payment, attempt: Attempt, why: Why, ids: Ids, at: datetime) -> VoidRequested:
    return VoidRequested(**after(payment, at), attempt_id=attempt.id, gateway_key=ids())


def refund_all(payment: Payment, attempt: Attempt, why: Why, ids: Ids, at: datetime) -> RefundRequested:
    return refund_asked(payment, attempt, RefundId(ids()), ids(), attempt.refundable, why, at=at)


def under_way(attempt: Attempt) -> bool:
    return attempt.capturing or attempt.refunding or attempt.voiding
