"""Recording what the gateway said. These never refuse: what money did is a fact, however late we hear of it.

What is known already is not recorded again; what fits no attempt is kept as unmatched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.event import after
from domain.ids import AttemptId, CaptureId, RefundId
from domain.money import Money
from domain.payments import attempt as attempts
from domain.payments.events import (
    ActionRequired,
    Advice,
    AttemptPending,
    AttemptVoided,
    AuthorisationExpired,
    CaptureFailed,
    OutcomeUnmatched,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentChargedBack,
    PaymentDeclined,
    PaymentRefunded,
    RefundFailed,
    Report,
)
from domain.payments.payment import Payment

Recorded = Report | OutcomeUnmatched


@dataclass(frozen=True, slots=True)
class Said:
    """Of which attempt, under which name of the gateway's, and when by its clock."""

    attempt_id: AttemptId
    reference: str
    happened_at: datetime


def record_action_required(payment: Payment, said: Said, url: str | None, *, at: datetime) -> Recorded | None:
    return record(payment, ActionRequired, said, at, url=url)


def record_pending(payment: Payment, said: Said, *, at: datetime) -> Recorded | None:
    return record(payment, AttemptPending, said, at)


def record_authorised(
    payment: Payment, said: Said, amount: Money, expires_at: datetime | None, *, at: datetime
) -> Recorded | None:
    return record(payment, PaymentAuthorised, said, at, amount=amount, expires_at=expires_at)


def record_declined(payment: Payment, said: Said, code: str, advice: Advice, *, at: datetime) -> Recorded | None:
    return record(payment, PaymentDeclined, said, at, code=code, advice=advice)


def record_voided(payment: Payment, said: Said, *, at: datetime) -> Recorded | None:
    return record(payment, AttemptVoided, said, at)


def record_authorisation_expired(payment: Payment, said: Said, *, at: datetime) -> Recorded | None:
    return record(payment, AuthorisationExpired, said, at)


def record_captured(payment: Payment, said: Said, id: CaptureId, amount: Money, *, at: datetime) -> Recorded | None:
    return record(payment, PaymentCaptured, said, at, capture_id=id, amount=amount)


def record_capture_failed(payment: Payment, said: Said, id: CaptureId, code: str, *, at: datetime) -> Recorded | None:
    return record(payment, CaptureFailed, said, at, capture_id=id, code=code)


def record_refunded(payment: Payment, said: Said, id: RefundId, amount: Money, *, at: datetime) -> Recorded | None:
    return record(payment, PaymentRefunded, said, at, refund_id=id, amount=amount)


def record_refund_failed(payment: Payment, said: Said, id: RefundId, code: str, *, at: datetime) -> Recorded | None:
    return record(payment, RefundFailed, said, at, refund_id=id, code=code)


def record_charged_back(payment: Payment, said: Said, amount: Money, *, at: datetime) -> Recorded | None:
    return record(payment, PaymentChargedBack, said, at, amount=amount)


def record(payment: Payment, kind: type[Report], said: Said, at: datetime, **fields: Any) -> Recorded | None:
    """The event of this kind, None if it tells nothing new, or OutcomeUnmatched."""
    identity = after(payment, at) | {
        "attempt_id": said.attempt_id,
        "reference": said.reference,
        "happened_at": said.happened_at,
    }
    amount: Money | None = fields.get("amount")
    attempt = payment.attempt(said.attempt_id)
    if attempt is None or (amount is not None and amount.currency != attempt.amount.currency):
        return OutcomeUnmatched(**identity, said=kind.TOPIC, amount=amount)
    event = kind(**identity, **fields)
    return None if attempts.evolve(attempt, event) == attempt else event
