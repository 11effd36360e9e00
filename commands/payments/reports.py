"""From the gateway's words to the events that are new in them. Pure, and total: whatever it says is recorded.

An intent tells all at once: how the attempt stands, what was captured and refunded. It may be old, and it may have
been sent before; what it says that is not known yet becomes events, in the order in which money moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never
from uuid import UUID

from commands.payments.gateway import (
    ActionNeeded,
    Answer,
    Declined,
    Intent,
    IntentStatus,
    Invalid,
    RateLimited,
    RefundSeen,
    RefundStatus,
    Succeeded,
    Unknown,
)
from domain.ids import AttemptId, CaptureId, RefundId, derive
from domain.money import Money
from domain.payments import outcomes
from domain.payments.attempt import LONG_AGO, Attempt, AttemptStatus, Entry, EntryStatus, difference
from domain.payments.events import Advice
from domain.payments.outcomes import Recorded, Said
from domain.payments.payment import Payment, evolve

MOMENT: Final = timedelta(microseconds=1)

Report = Callable[[Payment], Recorded | None]


class Told:
    """Events one upon the other, each decided on what those before it made of the payment."""

    def __init__(self, payment: Payment) -> None:
        self.payment = payment
        self.events: list[Recorded] = []

    def tell(self, report: Report) -> None:
        if (event := report(self.payment)) is not None:
            self.payment = evolve(self.payment, event)
            self.events.append(event)

    def attempt(self, id: AttemptId) -> Attempt | None:
        return self.payment.attempt(id)


class Asked(StrEnum):
    """What the gateway was asked for."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an attempt. `entry_id` is the capture's, or the refund's."""

    asked: Asked
    attempt_id: AttemptId
    entry_id: UUID | None = None


def of_answer(payment: Payment, request: Request, answer: Answer, *, at: datetime) -> list[Recorded]:
    """What an answer to one request tells. Unknown and RateLimited tell nothing."""
    told = Told(payment)
    match answer:
        case Succeeded(intent) | ActionNeeded(intent):
            tell_intent(told, ours(intent, request), at)
            tell_let_go(told, request, intent, at)
        case Declined(intent, reference, code, advice, happened_at):
            if intent is not None:
                tell_intent(told, ours(intent, request), at)
            tell_failed(told, request, Failure(reference, code, happened_at, advice), at)
        case Invalid(code, _):
            attempt = told.attempt(request.attempt_id)
            reference = (attempt.reference if attempt else None) or ""
            tell_failed(told, request, Failure(reference, code, at), at)
        case Unknown() | RateLimited():
            pass
        case _:
            assert_never(answer)
    return told.events


def ours(intent: Intent, request: Request) -> Intent:
    """The answer to what we asked of an attempt is about that attempt."""
    return replace(intent, attempt_id=request.attempt_id)


def tell_let_go(told: Told, request: Request, intent: Intent, at: datetime) -> None:
    """After a void nothing is held: where a part was captured, the intent does not say so."""
    attempt = told.attempt(request.attempt_id)
    if request.asked is Asked.VOID and intent.status is IntentStatus.CAPTURED and attempt and attempt.unsettled:
        said = Said(attempt.id, intent.reference, intent.at)
        told.tell(lambda payment: outcomes.record_voided(payment, said, at=at))


@dataclass(frozen=True, slots=True)
class Failure:
    reference: str
    code: str
    happened_at: datetime
    advice: Advice = Advice.NONE


def tell_failed(told: Told, request: Request, failure: Failure, at: datetime) -> None:
    """Unless it was done after all, or there is an outcome already."""
    attempt = told.attempt(request.attempt_id)
    if attempt is None:
        return
    said = Said(attempt.id, failure.reference, max(failure.happened_at, later_than_known(attempt, request)))
    match request.asked:
        case Asked.AUTHORISE if attempt.told is AttemptStatus.CREATED and not attempt.captured:
            told.tell(lambda p: outcomes.record_declined(p, said, failure.code, failure.advice, at=at))
        case Asked.CAPTURE if pending(attempt.captures, request.entry_id):
            capture = CaptureId(entry_of(request))
            told.tell(lambda p: outcomes.record_capture_failed(p, said, capture, failure.code, at=at))
        case Asked.REFUND if pending(attempt.refunds, request.entry_id):
            refund = RefundId(entry_of(request))
            told.tell(lambda p: outcomes.record_refund_failed(p, said, refund, failure.code, at=at))
        case _:
            pass


def later_than_known(attempt: Attempt, request: Request) -> datetime:
    """A request is refused after it was made, and after what was said of it before it was made once more."""
    entries = (*attempt.captures, *attempt.refunds)
    return max((entry.told_at for entry in entries if entry.id == request.entry_id), default=LONG_AGO) + MOMENT


def entry_of(request: Request) -> UUID:
    assert request.entry_id is not None, "captures and refunds have ids"
    return request.entry_id


def answered(payment: Payment, request: Request) -> bool:
    """Whether it has an outcome."""
    attempt = payment.attempt(request.attempt_id)
    if attempt is None:
        return False
    match request.asked:
        case Asked.AUTHORISE:
            return attempt.told is not AttemptStatus.CREATED
        case Asked.CAPTURE:
            return not pending(attempt.captures, request.entry_id)
        case Asked.VOID:
            return not attempt.voiding
        case Asked.REFUND:
            return not pending(attempt.refunds, request.entry_id)
        case _:
            assert_never(request.asked)


def pending(entries: Iterable[Entry], id: UUID | None) -> bool:
    entry = next((entry for entry in entries if entry.id == id), None)
    return entry is not None and entry.status is EntryStatus.PENDING


def of_intent(payment: Payment, intent: Intent, *, at: datetime) -> list[Recorded]:
    told = Told(payment)
    tell_intent(told, intent, at)
    return told.events


def tell_intent(told: Told, intent: Intent, at: datetime) -> None:
    attempt = attempt_of(told.payment, intent)
    if attempt is None or attempt.amount.currency != intent.amount.currency:
        told.tell(lambda payment: unmatched(payment, intent, at))
        return
    said = Said(attempt.id, intent.reference, intent.at)
    told.tell(lambda payment: standing(payment, attempt, said, intent, at))
    tell_captures(told, said, intent, at)
    for id, seen in refunds_of(intent).items():
        told.tell(lambda payment, id=id, seen=seen: refund(payment, said, id, seen, at))  # type: ignore[misc]
    if intent.charged_back is not None:
        amount = intent.charged_back
        told.tell(lambda payment: outcomes.record_charged_back(payment, said, amount, at=at))


def attempt_of(payment: Payment, intent: Intent) -> Attempt | None:
    """By our own id, which we gave the gateway; by the gateway's name where it does not say it."""
    if intent.attempt_id is not None:
        return payment.attempt(intent.attempt_id)
    return next((attempt for attempt in payment.attempts if attempt.reference == intent.reference), None)


def unmatched(payment: Payment, intent: Intent, at: datetime) -> Recorded | None:
    """It fits no attempt: kept as such by what is recorded of it."""
    id = intent.attempt_id or AttemptId(derive("attempt", intent.reference))
    said = Said(id, intent.reference, intent.at)
    if intent.captured:
        capture = CaptureId(derive("capture", f"{intent.reference}/{intent.captured.amount}"))
        return outcomes.record_captured(payment, said, capture, intent.captured, at=at)
    if intent.status is IntentStatus.AUTHORISED:
        return outcomes.record_authorised(payment, said, intent.authorised or intent.amount, None, at=at)
    return outcomes.record_pending(payment, said, at=at)


def standing(payment: Payment, attempt: Attempt, said: Said, intent: Intent, at: datetime) -> Recorded | None:
    match intent.status:
        case IntentStatus.ACTION_REQUIRED:
            return outcomes.record_action_required(payment, said, intent.url, at=at)
        case IntentStatus.PENDING:
            return outcomes.record_pending(payment, said, at=at)
        case IntentStatus.AUTHORISED:
            amount = intent.authorised or intent.amount
            return outcomes.record_authorised(payment, said, amount, intent.expires_at, at=at)
        case IntentStatus.CAPTURED:
            return authorised_before(payment, attempt, said, intent, at)
        case IntentStatus.DECLINED:
            return outcomes.record_declined(payment, said, intent.code, intent.advice, at=at)
        case IntentStatus.VOIDED:
            return outcomes.record_voided(payment, said, at=at)
        case IntentStatus.AUTH_EXPIRED:
            return outcomes.record_authorisation_expired(payment, said, at=at)
        case _:
            assert_never(intent.status)


def authorised_before(payment: Payment, attempt: Attempt, said: Said, intent: Intent, at: datetime) -> Recorded | None:
    """Captured money was authorised, though nobody told us."""
    if attempt.authorised:
        return None
    amount = max(intent.authorised or intent.amount, intent.captured)
    return outcomes.record_authorised(payment, said, amount, intent.expires_at, at=at)


def tell_captures(told: Told, said: Said, intent: Intent, at: datetime) -> None:
    attempt = told.attempt(said.attempt_id)
    assert attempt is not None
    for id, amount in shared_out(attempt, intent):
        told.tell(lambda payment, id=id, amount=amount: outcomes.record_captured(payment, said, id, amount, at=at))  # type: ignore[misc]


def shared_out(attempt: Attempt, intent: Intent) -> Iterator[tuple[CaptureId, Money]]:
    """What is captured and not known yet, among the captures we asked for; what is left was not us.

    An intent tells the sum, and only the last capture that was ours. One that it does not name is taken to be done
    only where its whole amount is.
    """
    left = difference(intent.captured, attempt.captured)
    open = [entry for entry in attempt.captures if entry.status is EntryStatus.PENDING]
    for entry in sorted(open, key=lambda entry: (entry.id != intent.capture_id, entry.amount != left)):
        named = entry.id == intent.capture_id
        if left and (named or entry.amount <= left):
            taken = min(entry.amount, left)
            left -= taken
            yield CaptureId(entry.id), taken
    if left:
        yield CaptureId(derive("capture", f"{intent.reference}/{intent.captured.amount}")), left


def refunds_of(intent: Intent) -> dict[RefundId, RefundSeen]:
    """By our id, or one that follows from the gateway's; of tries under one id the one that went furthest."""
    found: dict[RefundId, RefundSeen] = {}
    for seen in sorted(intent.refunds, key=lambda seen: FURTHEST.index(seen.status)):
        found.setdefault(seen.refund_id or RefundId(derive("refund-seen", seen.reference)), seen)
    return found


FURTHEST: Final = (RefundStatus.SUCCEEDED, RefundStatus.PENDING, RefundStatus.FAILED)


def refund(payment: Payment, said: Said, id: RefundId, seen: RefundSeen, at: datetime) -> Recorded | None:
    of_refund = replace(said, reference=seen.reference)
    match seen.status:
        case RefundStatus.SUCCEEDED:
            return outcomes.record_refunded(payment, of_refund, id, seen.amount, at=at)
        case RefundStatus.FAILED:
            return outcomes.record_refund_failed(payment, of_refund, id, seen.code, at=at)
        case RefundStatus.PENDING:
            return None
        case _:
            assert_never(seen.status)
