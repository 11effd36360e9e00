"""What an attempt, as it stands, is as an answer: the same for every gateway."""

from __future__ import annotations

from commands.payments.gateway import (
    ActionNeeded,
    Answer,
    Declined,
    Intent,
    IntentStatus,
    RefundSeen,
    RefundStatus,
    Succeeded,
)
from domain.ids import RefundId
from domain.payments.events import Advice


def of_attempt(intent: Intent, *, already: bool) -> Answer:
    """The answer to an authorisation. `already`: it had been asked for before."""
    match intent.status:
        case IntentStatus.ACTION_REQUIRED | IntentStatus.PENDING:
            return ActionNeeded(intent)
        case IntentStatus.DECLINED:
            return Declined(intent, intent.reference, intent.code, intent.advice, intent.at)
        case _:
            return Succeeded(intent, already=already)


def of_refund(intent: Intent, id: RefundId, *, already: bool) -> Answer:
    """The answer to a refund: one that failed by now is declined, one that is pending has succeeded so far."""
    seen = refund_in(intent, id)
    if seen and seen.status is RefundStatus.FAILED:
        return Declined(intent, intent.reference, seen.code, Advice.NONE, intent.at)
    return Succeeded(intent, already=already)


def refund_in(intent: Intent, id: RefundId) -> RefundSeen | None:
    return next((seen for seen in intent.refunds if seen.refund_id == id), None)
