"""What was asked of the gateway for an order, and what the gateway said, whenever it said it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.event import JSON, Event, PersonalData
from domain.ids import AttemptId, CaptureId, OrderId, RefundId, UserId
from domain.money import Money
from domain.value import PaymentMethod

Reference = Annotated[str, Field(max_length=255)]
"""The gateway's own name for a thing."""


class Advice(StrEnum):
    """What the gateway advises after a decline."""

    TRY_AGAIN = "TRY_AGAIN"
    OTHER_METHOD = "OTHER_METHOD"
    NONE = "NONE"


class RefundReason(StrEnum):
    CANCELLATION = "CANCELLATION"
    RETURN = "RETURN"
    OVERCHARGE = "OVERCHARGE"
    GOODWILL = "GOODWILL"


class PaymentEvent(Event):
    """Base of every event of an order's payment."""


class PaymentOpened(PaymentEvent):
    TOPIC = "payments.payment-opened"

    order_id: OrderId
    customer_id: UserId
    due: Money


class AttemptCreated(PaymentEvent):
    """The gateway is about to be asked to authorise, under this key."""

    TOPIC = "payments.attempt-created"
    OWNER: ClassVar[str] = "customer_id"

    customer_id: UserId
    attempt_id: AttemptId
    gateway_key: UUID
    method: PaymentMethod
    amount: Money
    token: PersonalData[str | None]


class CaptureRequested(PaymentEvent):
    TOPIC = "payments.capture-requested"

    attempt_id: AttemptId
    capture_id: CaptureId
    gateway_key: UUID
    amount: Money


class VoidRequested(PaymentEvent):
    TOPIC = "payments.void-requested"

    attempt_id: AttemptId
    gateway_key: UUID


class RefundRequested(PaymentEvent):
    """`note` is in the words of who asked; a service's are nobody's, and are not sealed."""

    TOPIC = "payments.refund-requested"
    OWNER: ClassVar[str] = "asked_by"
    class_version = 2

    attempt_id: AttemptId
    refund_id: RefundId
    gateway_key: UUID
    amount: Money
    reason: RefundReason
    asked_by: UserId | None
    note: PersonalData[str]

    @staticmethod
    def upcast_v1_v2(state: JSON) -> None:
        """v1 did not say who asked."""
        state["asked_by"], state["note"] = None, ""


class Outcome(PaymentEvent):
    """Base of what the gateway said. `happened_at` is its own time: reports may come late and out of order."""

    attempt_id: AttemptId
    reference: Reference
    happened_at: AwareDatetime


class ActionRequired(Outcome):
    """The customer has to do something, at this address."""

    TOPIC = "payments.action-required"

    url: str | None


class AttemptPending(Outcome):
    TOPIC = "payments.attempt-pending"


class PaymentAuthorised(Outcome):
    """The money is held for us, until then."""

    TOPIC = "payments.payment-authorised"

    amount: Money
    expires_at: AwareDatetime | None


class PaymentDeclined(Outcome):
    TOPIC = "payments.payment-declined"

    code: str
    advice: Advice


class AttemptVoided(Outcome):
    TOPIC = "payments.attempt-voided"


class AuthorisationExpired(Outcome):
    TOPIC = "payments.authorisation-expired"


class PaymentCaptured(Outcome):
    TOPIC = "payments.payment-captured"

    capture_id: CaptureId
    amount: Money


class CaptureFailed(Outcome):
    TOPIC = "payments.capture-failed"

    capture_id: CaptureId
    code: str


class PaymentRefunded(Outcome):
    TOPIC = "payments.payment-refunded"

    refund_id: RefundId
    amount: Money


class RefundFailed(Outcome):
    TOPIC = "payments.refund-failed"

    refund_id: RefundId
    code: str


class PaymentChargedBack(Outcome):
    """The customer's bank took money back: `amount` of the attempt in all."""

    TOPIC = "payments.payment-charged-back"

    amount: Money


class OutcomeUnmatched(Outcome):
    """The gateway said what fits no attempt of this payment. `said` is the event type it would have been."""

    TOPIC = "payments.outcome-unmatched"

    said: str
    amount: Money | None


Report = (
    ActionRequired
    | AttemptPending
    | PaymentAuthorised
    | PaymentDeclined
    | AttemptVoided
    | AuthorisationExpired
    | PaymentCaptured
    | CaptureFailed
    | PaymentRefunded
    | RefundFailed
    | PaymentChargedBack
)
AttemptEvent = CaptureRequested | VoidRequested | RefundRequested | Report
AnyPaymentEvent = PaymentOpened | AttemptCreated | OutcomeUnmatched | AttemptEvent
