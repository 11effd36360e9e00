"""What payments tell sagas of an order's money: the same for every process that waits for it."""

from __future__ import annotations

from uuid import UUID

from domain.money import Money
from domain.sagas.facts import Fact


class MoneyFact(Fact):
    attempt_id: UUID


class Authorised(MoneyFact):
    NAME = "payment-authorised"

    amount: Money


class Declined(MoneyFact):
    NAME = "payment-declined"

    code: str


class ActionNeeded(MoneyFact):
    """The customer has to do something first."""

    NAME = "payment-action-required"


class Pending(MoneyFact):
    """The money is on its way, which may take days."""

    NAME = "payment-pending"


class Voided(MoneyFact):
    NAME = "payment-voided"


class AuthorisationLost(MoneyFact):
    """It expired."""

    NAME = "payment-authorisation-expired"


class Captured(MoneyFact):
    NAME = "payment-captured"

    capture_id: UUID
    amount: Money


class CaptureRefused(MoneyFact):
    NAME = "payment-capture-failed"

    capture_id: UUID
    code: str


class Refunded(MoneyFact):
    NAME = "payment-refunded"

    refund_id: UUID
    amount: Money


class RefundRefused(MoneyFact):
    NAME = "payment-refund-failed"

    refund_id: UUID
    code: str
