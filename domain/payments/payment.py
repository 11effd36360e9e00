"""An order's payment: its attempts, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.ids import AttemptId, OrderId, PaymentId, UserId
from domain.money import Money, zero
from domain.payments import attempt as attempts
from domain.payments.attempt import Attempt, AttemptStatus, difference
from domain.payments.events import AnyPaymentEvent, AttemptCreated, OutcomeUnmatched, PaymentOpened


class ChargeStatus(StrEnum):
    """How far an order is paid."""

    NONE = "NONE"
    AUTHORISED = "AUTHORISED"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    OVERCHARGED = "OVERCHARGED"
    CHARGED_BACK = "CHARGED_BACK"


@dataclass(frozen=True, slots=True)
class Payment:
    id: PaymentId
    version: int
    order_id: OrderId
    customer_id: UserId
    due: Money
    attempts: tuple[Attempt, ...] = ()
    unmatched: int = 0  # reports on attempts that are not known here

    @property
    def status(self) -> ChargeStatus:
        if any(attempt.charged_back for attempt in self.attempts):
            return ChargeStatus.CHARGED_BACK
        if self.captured:
            return self.status_of_captured
        authorised = any(attempt.status is AttemptStatus.AUTHORISED for attempt in self.attempts)
        return ChargeStatus.AUTHORISED if authorised else ChargeStatus.NONE

    @property
    def status_of_captured(self) -> ChargeStatus:
        if self.paid > self.due:
            return ChargeStatus.OVERCHARGED
        if self.refunded >= self.captured:
            return ChargeStatus.REFUNDED
        if self.refunded:
            return ChargeStatus.PARTIALLY_REFUNDED
        return ChargeStatus.PARTIALLY_CAPTURED if self.captured < self.due else ChargeStatus.CAPTURED

    @property
    def captured(self) -> Money:
        return sum((attempt.captured for attempt in self.attempts), zero(self.due.currency))

    @property
    def refunded(self) -> Money:
        return sum((attempt.refunded for attempt in self.attempts), zero(self.due.currency))

    @property
    def charged_back(self) -> Money:
        return sum((attempt.charged_back for attempt in self.attempts), zero(self.due.currency))

    @property
    def paid(self) -> Money:
        """What we have of the customer's money."""
        return difference(self.captured, self.refunded + self.charged_back)

    @property
    def active(self) -> Attempt | None:
        return next((attempt for attempt in self.attempts if attempt.active), None)

    def attempt(self, id: AttemptId) -> Attempt | None:
        return next((attempt for attempt in self.attempts if attempt.id == id), None)


def evolve(payment: Payment | None, event: AnyPaymentEvent) -> Payment:
    if isinstance(event, PaymentOpened):
        id = PaymentId(event.originator_id)
        return Payment(id, event.originator_version, event.order_id, event.customer_id, event.due)
    assert payment is not None
    payment = replace(payment, version=event.originator_version)
    if isinstance(event, AttemptCreated):
        return replace(payment, attempts=(*payment.attempts, attempts.created(event)))
    if isinstance(event, OutcomeUnmatched):
        return replace(payment, unmatched=payment.unmatched + 1)
    changed = (attempts.evolve(a, event) if a.id == event.attempt_id else a for a in payment.attempts)
    return replace(payment, attempts=tuple(changed))
