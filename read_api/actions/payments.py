"""What could be done to an order's payment. Its row carries the aggregate's own state."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from domain.actor import Actor
from domain.ids import AttemptId, CaptureId, RefundId, new_id
from domain.payments import giving_back, requests
from domain.payments.events import RefundReason
from domain.payments.payment import Payment
from domain.payments.requests import Why
from domain.value import PaymentMethod
from read_api.actions.judging import Way

GOODWILL: Final = Why(RefundReason.GOODWILL)


def pay(payment: Payment, by: Actor, at: datetime) -> Any:
    return requests.begin(payment, AttemptId(new_id()), new_id(), PaymentMethod.CREDIT_CARD, None, at=at)


def capture(payment: Payment, by: Actor, at: datetime) -> Any:
    return requests.capture(payment, CaptureId(new_id()), new_id(), at=at)


def refund(payment: Payment, by: Actor, at: datetime) -> Any:
    return requests.refund(payment, RefundId(new_id()), new_id(), None, GOODWILL, at=at)


WAYS: Final[tuple[Way[Payment], ...]] = (
    Way("/v1/payments", pay, "pay"),
    Way("/v1/payments/{id}/capture", capture),
    Way("/v1/payments/{id}/void", lambda payment, _, at: requests.void(payment, new_id(), at=at)),
    Way("/v1/payments/{id}/refund", refund),
    Way(
        "/v1/payments/{id}/give-back",
        lambda payment, _, at: giving_back.give_back(payment, GOODWILL, new_id, at=at),
    ),
)
