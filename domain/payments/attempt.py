"""An attempt to pay: what the gateway was asked for in it, what it said, and what that adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Final, assert_never
from uuid import UUID

from domain.ids import AttemptId, CaptureId, RefundId
from domain.money import Money, zero
from domain.payments.events import (
    ActionRequired,
    AttemptCreated,
    AttemptEvent,
    AttemptPending,
    AttemptVoided,
    AuthorisationExpired,
    CaptureFailed,
    CaptureRequested,
    Outcome,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentChargedBack,
    PaymentDeclined,
    PaymentRefunded,
    RefundFailed,
    RefundRequested,
    VoidRequested,
)
from domain.value import PaymentMethod

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class AttemptStatus(StrEnum):
    CREATED = "CREATED"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    PENDING = "PENDING"
    AUTHORISED = "AUTHORISED"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    DECLINED = "DECLINED"
    VOIDED = "VOIDED"
    AUTH_EXPIRED = "AUTH_EXPIRED"
    CHARGED_BACK = "CHARGED_BACK"


OVER: Final = frozenset(
    {
        AttemptStatus.DECLINED,
        AttemptStatus.VOIDED,
        AttemptStatus.AUTH_EXPIRED,
        AttemptStatus.REFUNDED,
        AttemptStatus.CHARGED_BACK,
    }
)
"""In these another attempt may begin."""


class EntryStatus(Enum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """A capture or a refund. The key is None where it was the gateway that told us of it."""

    id: CaptureId | RefundId
    amount: Money
    status: EntryStatus
    gateway_key: UUID | None
    told_at: datetime = LONG_AGO


@dataclass(frozen=True, slots=True)
class Attempt:
    """`told` is what the gateway last said of the attempt as a whole, at its own time `told_at`."""

    id: AttemptId
    gateway_key: UUID
    method: PaymentMethod
    amount: Money
    authorised: Money
    charged_back: Money
    told: AttemptStatus = AttemptStatus.CREATED
    told_at: datetime = LONG_AGO
    reference: str | None = None
    captures: tuple[Entry, ...] = ()
    refunds: tuple[Entry, ...] = ()
    void_key: UUID | None = None  # set once a void was asked for

    @property
    def status(self) -> AttemptStatus:
        """Money that moved says more than what was last told: it may have moved after a void or an expiry."""
        if self.charged_back:
            return AttemptStatus.CHARGED_BACK
        if self.captured:
            return self.status_of_captured
        return self.told

    @property
    def status_of_captured(self) -> AttemptStatus:
        if self.refunded >= self.captured:
            return AttemptStatus.REFUNDED
        if self.refunded:
            return AttemptStatus.PARTIALLY_REFUNDED
        return AttemptStatus.PARTIALLY_CAPTURED if self.captured < self.authorised else AttemptStatus.CAPTURED

    @property
    def active(self) -> bool:
        """Money may still come in through it."""
        return self.status not in OVER or self.capturing or bool(self.capturable)

    @property
    def captured(self) -> Money:
        return self.sum_of(self.captures, EntryStatus.SUCCEEDED)

    @property
    def refunded(self) -> Money:
        return self.sum_of(self.refunds, EntryStatus.SUCCEEDED)

    @property
    def capturable(self) -> Money:
        """What may be captured besides what is captured or about to be."""
        if self.told is not AttemptStatus.AUTHORISED or self.void_key:
            return zero(self.amount.currency)
        return difference(self.authorised, self.captured + self.sum_of(self.captures, EntryStatus.PENDING))

    @property
    def refundable(self) -> Money:
        """What may be refunded besides what is refunded, about to be, or was charged back."""
        spoken_for = self.refunded + self.sum_of(self.refunds, EntryStatus.PENDING) + self.charged_back
        return difference(self.captured, spoken_for)

    @property
    def capturing(self) -> bool:
        return any(capture.status is EntryStatus.PENDING for capture in self.captures)

    def sum_of(self, entries: Iterable[Entry], status: EntryStatus) -> Money:
        return sum((e.amount for e in entries if e.status is status), zero(self.amount.currency))


def difference(one: Money, other: Money) -> Money:
    """one - other, or nothing where the other is more."""
    return one - other if one >= other else zero(one.currency)


def created(event: AttemptCreated) -> Attempt:
    nothing = zero(event.amount.currency)
    return Attempt(
        event.attempt_id, event.gateway_key, event.method, event.amount, authorised=nothing, charged_back=nothing
    )


def evolve(attempt: Attempt, event: AttemptEvent) -> Attempt:
    match event:
        case CaptureRequested():
            return replace(attempt, captures=(*attempt.captures, asked(event.capture_id, event)))
        case RefundRequested():
            return replace(attempt, refunds=(*attempt.refunds, asked(event.refund_id, event)))
        case VoidRequested():
            return replace(attempt, void_key=event.gateway_key)
        case ActionRequired():
            return told(attempt, AttemptStatus.ACTION_REQUIRED, event)
        case AttemptPending():
            return told(attempt, AttemptStatus.PENDING, event)
        case PaymentAuthorised():
            return replace(told(attempt, AttemptStatus.AUTHORISED, event), authorised=event.amount)
        case PaymentDeclined():
            return told(attempt, AttemptStatus.DECLINED, event)
        case AttemptVoided():
            return told(attempt, AttemptStatus.VOIDED, event)
        case AuthorisationExpired():
            return told(attempt, AttemptStatus.AUTH_EXPIRED, event)
        case PaymentCaptured():
            return replace(attempt, captures=settled(attempt.captures, event.capture_id, event, event.amount))
        case CaptureFailed():
            return replace(attempt, captures=settled(attempt.captures, event.capture_id, event, None))
        case PaymentRefunded():
            return replace(attempt, refunds=settled(attempt.refunds, event.refund_id, event, event.amount))
        case RefundFailed():
            return replace(attempt, refunds=settled(attempt.refunds, event.refund_id, event, None))
        case PaymentChargedBack():
            return replace(attempt, charged_back=event.amount)
        case _:
            assert_never(event)


def told(attempt: Attempt, status: AttemptStatus, event: Outcome) -> Attempt:
    """The later of the gateway's words holds, in whatever order they came."""
    attempt = replace(attempt, reference=attempt.reference or event.reference)
    if event.happened_at < attempt.told_at or status is attempt.told:
        return attempt
    return replace(attempt, told=status, told_at=event.happened_at)


def asked(id: CaptureId | RefundId, event: CaptureRequested | RefundRequested) -> Entry:
    return Entry(id, event.amount, EntryStatus.PENDING, event.gateway_key)


def find(entries: Iterable[Entry], id: CaptureId | RefundId) -> Entry | None:
    return next((entry for entry in entries if entry.id == id), None)


def settled(
    entries: tuple[Entry, ...], id: CaptureId | RefundId, event: Outcome, amount: Money | None
) -> tuple[Entry, ...]:
    """The entry succeeded with this amount, or failed with None. Here too the later word holds."""
    known = find(entries, id)
    if known is None:
        return (
            entries if amount is None else (*entries, Entry(id, amount, EntryStatus.SUCCEEDED, None, event.happened_at))
        )
    if event.happened_at < known.told_at:
        return entries
    return put(entries, outcome(known, amount, event.happened_at))


def outcome(entry: Entry, amount: Money | None, at: datetime) -> Entry:
    status = EntryStatus.FAILED if amount is None else EntryStatus.SUCCEEDED
    if status is entry.status and amount in (None, entry.amount):
        return entry
    return replace(entry, status=status, amount=entry.amount if amount is None else amount, told_at=at)


def put(entries: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    return tuple(entry if e.id == entry.id else e for e in entries)
