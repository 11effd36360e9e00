"""What can be asked of payments, and what is recorded of the gateway's answers."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from commands.message import Command
from commands.payments.gateway import Answer, Hook, Intent
from commands.payments.reports import Request
from commands.services import PaymentChoice
from domain.errors import DomainError
from domain.ids import AttemptId, CaptureId, OrderId, RefundId, new_id
from domain.money import Money
from domain.payments.events import RefundReason
from domain.value import Note


def fresh() -> Any:
    return new_id()


# --- what comes over HTTP ---------------------------------------------------------------------------------------------


class PayOrder(Command):
    """Begins an attempt at what is left to pay of an order, in the way its customer chose. The same one twice: once."""

    order_id: OrderId
    attempt_id: AttemptId = Field(default_factory=fresh)


class CapturePayment(Command):
    """Takes what is authorised: this much, or all of it."""

    capture_id: CaptureId = Field(default_factory=fresh)
    amount: Money | None = None


class VoidPayment(Command):
    """Lets go of what is held, or is about to be."""


class RefundPayment(Command):
    """Gives back what was captured: this much, or all of one attempt's."""

    refund_id: RefundId = Field(default_factory=fresh)
    amount: Money | None = None
    reason: RefundReason
    note: Note = ""


class GiveBack(Command):
    """Lets go of, or gives back, all of the customer's money that there is.

    To be asked again after each outcome, until it is refused with NOTHING_TO_GIVE_BACK.
    """

    reason: RefundReason
    note: Note = ""


# --- what is decided --------------------------------------------------------------------------------------------------


class BeginAttempt(Command):
    """PayOrder with what the order says of it, or why it does not."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    order_id: OrderId
    attempt_id: AttemptId
    choice: PaymentChoice | DomainError


class Recorded(Command):
    """Base of what a process of ours records of the gateway's words. Not to be had over HTTP."""


class RecordAnswer(Recorded):
    """What the gateway answered to one request."""

    request: Request
    answer: Answer


class RecordIntent(Recorded):
    """How an attempt stands at the gateway, whoever asked."""

    intent: Intent


class ReceiveHook(Recorded):
    """A webhook, with the attempt as the gateway has it. The same one twice: nothing."""

    gateway: str
    hook: Hook
