"""A payment's usual history, one event a name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.event import Event
from domain.ids import AttemptId, CaptureId, OrderId, RefundId, UserId, derive, payment_of
from domain.money import Money
from domain.payments.attempt import AttemptStatus
from domain.payments.events import (
    ActionRequired,
    Advice,
    AttemptCreated,
    AttemptPending,
    AttemptVoided,
    AuthorisationExpired,
    CaptureFailed,
    CaptureRequested,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentChargedBack,
    PaymentDeclined,
    PaymentOpened,
    PaymentRefunded,
    RefundFailed,
    RefundReason,
    RefundRequested,
    VoidRequested,
)
from domain.payments.outcomes import Said
from domain.payments.payment import evolve
from domain.value import PaymentMethod
from tests.specification import AT, Make, Specification, a

ORDER = OrderId(derive("test", "order"))
CUSTOMER = UserId(derive("test", "customer"))
ATTEMPT = AttemptId(derive("test", "attempt"))
CAPTURE, CAPTURE_2 = CaptureId(derive("test", "capture")), CaptureId(derive("test", "capture 2"))
REFUND, REFUND_2 = RefundId(derive("test", "refund")), RefundId(derive("test", "refund 2"))
KEY = UUID(int=7)
INTENT = "pi_1"


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def minute(n: int) -> datetime:
    """The gateway's clock."""
    return AT + timedelta(minutes=n)


def said(n: int, attempt: AttemptId = ATTEMPT) -> Said:
    return Said(attempt, INTENT, minute(n))


def told(event: type[Event], n: int, **fields: Any) -> Make:
    return a(event, attempt_id=ATTEMPT, reference=INTENT, happened_at=minute(n), **fields)


payment = Specification(payment_of(ORDER), evolve)

opened = a(PaymentOpened, order_id=ORDER, customer_id=CUSTOMER, due=eur(1000))
created = a(
    AttemptCreated,
    customer_id=CUSTOMER,
    attempt_id=ATTEMPT,
    gateway_key=KEY,
    method=PaymentMethod.CREDIT_CARD,
    amount=eur(1000),
    token="pm_card",
)
action_required = told(ActionRequired, 1, url="https://bank.example/3ds")
pending = told(AttemptPending, 1)
authorised = told(PaymentAuthorised, 2, amount=eur(1000), expires_at=minute(10_000))
declined = told(PaymentDeclined, 2, code="insufficient_funds", advice=Advice.OTHER_METHOD)
void_requested = a(VoidRequested, attempt_id=ATTEMPT, gateway_key=KEY)
voided = told(AttemptVoided, 3)
auth_expired = told(AuthorisationExpired, 10_000)
capture_requested = a(CaptureRequested, attempt_id=ATTEMPT, capture_id=CAPTURE, gateway_key=KEY, amount=eur(1000))
captured = told(PaymentCaptured, 4, capture_id=CAPTURE, amount=eur(1000))
capture_failed = told(CaptureFailed, 4, capture_id=CAPTURE, code="processing_error")
part_requested = a(CaptureRequested, attempt_id=ATTEMPT, capture_id=CAPTURE, gateway_key=KEY, amount=eur(400))
part_captured = told(PaymentCaptured, 4, capture_id=CAPTURE, amount=eur(400))
refund_requested = a(
    RefundRequested,
    attempt_id=ATTEMPT,
    refund_id=REFUND,
    gateway_key=KEY,
    amount=eur(1000),
    reason=RefundReason.CANCELLATION,
    asked_by=None,
    note="",
)
refunded = told(PaymentRefunded, 5, refund_id=REFUND, amount=eur(1000))
refund_failed = told(RefundFailed, 5, refund_id=REFUND, code="charge_disputed")
part_refund_requested = a(
    RefundRequested,
    attempt_id=ATTEMPT,
    refund_id=REFUND,
    gateway_key=KEY,
    amount=eur(300),
    reason=RefundReason.RETURN,
    asked_by=None,
    note="",
)
part_refunded = told(PaymentRefunded, 5, refund_id=REFUND, amount=eur(300))
charged_back = told(PaymentChargedBack, 6, amount=eur(1000))

S = AttemptStatus
CAPTURED = (opened, created, authorised, capture_requested, captured)
WAYS_TO = {
    S.CREATED: (opened, created),
    S.ACTION_REQUIRED: (opened, created, action_required),
    S.PENDING: (opened, created, pending),
    S.AUTHORISED: (opened, created, authorised),
    S.DECLINED: (opened, created, declined),
    S.VOIDED: (opened, created, authorised, void_requested, voided),
    S.AUTH_EXPIRED: (opened, created, authorised, auth_expired),
    S.PARTIALLY_CAPTURED: (opened, created, authorised, part_requested, part_captured),
    S.CAPTURED: CAPTURED,
    S.PARTIALLY_REFUNDED: (*CAPTURED, part_refund_requested, part_refunded),
    S.REFUNDED: (*CAPTURED, refund_requested, refunded),
    S.CHARGED_BACK: (*CAPTURED, charged_back),
}
"""The shortest usual history that leads an attempt to each status."""
