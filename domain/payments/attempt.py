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

ON_THE_WAY: Final = (
    AttemptStatus.CREATED,
    AttemptStatus.ACTION_REQUIRED,
    AttemptStatus.PENDING,
    AttemptStatus.AUTHORISED,
)
VOIDABLE: Final = frozenset(ON_THE_WAY)
"""What was last told of an attempt that may still be let go of."""


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
    charged_back_at: datetime = LONG_AGO

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

    @property
    def refunding(self) -> bool:
        return any(refund.status is EntryStatus.PENDING for refund in self.refunds)

    @property
    def unsettled(self) -> bool:
        """The gateway may hold, or come to hold, money that is not captured: all of it, or what a capture left."""
        return self.told in VOIDABLE and (not self.captured or self.captured < self.authorised)

    @property
    def voidable(self) -> bool:
        return self.unsettled and not self.capturing and self.void_key is None

    @property
    def voiding(self) -> bool:
        """A void was asked for, and what came of it is not known."""
        return self.unsettled and self.void_key is not None

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
            return replace(attempt, captures=asked(attempt.captures, event.capture_id, event))
        case RefundRequested():
            return replace(attempt, refunds=asked(attempt.refunds, event.refund_id, event))
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
            return charged_back(attempt, event)
        case _:
            assert_never(event)


def told(attempt: Attempt, status: AttemptStatus, event: Outcome) -> Attempt:
    """The later of the gateway's words holds, in whatever order they came."""
    attempt = replace(attempt, reference=attempt.reference or event.reference or None)
    if authorised_first(status, attempt.told):
        return attempt
    if authorised_first(attempt.told, status):
        return replace(attempt, told=status, told_at=event.happened_at)
    if (event.happened_at, rank(status)) < (attempt.told_at, rank(attempt.told)) or status is attempt.told:
        return attempt
    return replace(attempt, told=status, told_at=event.happened_at)


def authorised_first(status: AttemptStatus, known: AttemptStatus) -> bool:
    """What is authorised waits for nobody any more: another word of that is an older one, whatever time it bears.

    An answer is dated when it is sent, and what it tells may have been passed by meanwhile.
    """
    return known is AttemptStatus.AUTHORISED and status in (AttemptStatus.ACTION_REQUIRED, AttemptStatus.PENDING)


def rank(status: AttemptStatus) -> int:
    """Of two words of the same moment the one further on is the later: gateways may count whole seconds only."""
    return ON_THE_WAY.index(status) if status in ON_THE_WAY else len(ON_THE_WAY)


def charged_back(attempt: Attempt, event: PaymentChargedBack) -> Attempt:
    """A dispute that was won leaves less of it, or nothing: the later word holds here too."""
    if event.happened_at < attempt.charged_back_at or event.amount == attempt.charged_back:
        return attempt
    return replace(attempt, charged_back=event.amount, charged_back_at=event.happened_at)


def asked(
    entries: tuple[Entry, ...], id: CaptureId | RefundId, event: CaptureRequested | RefundRequested
) -> tuple[Entry, ...]:
    """Asked for again after it failed it is one entry still, under a new key; what was done stays done."""
    entry = Entry(id, event.amount, EntryStatus.PENDING, event.gateway_key)
    known = find(entries, id)
    if known is None:
        return (*entries, entry)
    if known.status is EntryStatus.SUCCEEDED:
        return entries
    return put(entries, replace(entry, told_at=known.told_at))


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
    if event.happened_at < known.told_at or (amount is None and said_before(known, event)):
        return entries
    return put(entries, outcome(known, amount, event.happened_at))


def said_before(entry: Entry, event: Outcome) -> bool:
    """The failure that was said of the entry before it was asked for once more."""
    return entry.status is EntryStatus.PENDING and event.happened_at <= entry.told_at


def outcome(entry: Entry, amount: Money | None, at: datetime) -> Entry:
    status = EntryStatus.FAILED if amount is None else EntryStatus.SUCCEEDED
    if status is entry.status and amount in (None, entry.amount):
        return entry
    return replace(entry, status=status, amount=entry.amount if amount is None else amount, told_at=at)


def put(entries: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    return tuple(entry if e.id == entry.id else e for e in entries)
