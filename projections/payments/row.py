"""A payment as it is looked up. Amounts are minor units of the payment's currency. Nothing in it is personal."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.events import Advice, RefundReason
from domain.payments.payment import ChargeStatus, Payment
from domain.value import PaymentMethod
from projections.row import dataclass


class EntryKind(StrEnum):
    """Which of a payment's sums a ledger entry changes."""

    AUTHORISED = "AUTHORISED"
    CAPTURED = "CAPTURED"
    REFUNDED = "REFUNDED"
    CHARGED_BACK = "CHARGED_BACK"


class ActionKind(StrEnum):
    REDIRECT = "REDIRECT"  # the customer has to go to the address
    CONFIRM = "CONFIRM"  # without one: in the gateway's own form


@dataclass(frozen=True)
class PartRow:
    """A capture or a refund. `reference` is the gateway's name for it, null until it said something of it."""

    id: UUID
    amount: int
    status: EntryStatus
    reference: str | None = None


@dataclass(frozen=True)
class AttemptRow:
    """`authorised` is what the gateway once agreed to; `expires_at` says how long it holds that."""

    id: UUID
    method: PaymentMethod
    amount: int
    created_at: datetime
    status: AttemptStatus = AttemptStatus.CREATED
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    charged_back: int = 0
    voiding: bool = False  # a void was asked for
    reference: str | None = None
    captures: tuple[PartRow, ...] = ()
    refunds: tuple[PartRow, ...] = ()
    action_url: str | None = None
    expires_at: datetime | None = None
    declined: str | None = None  # the gateway's code
    advice: Advice | None = None


@dataclass(frozen=True)
class NextActionRow:
    """What the customer has to do before the payment goes on."""

    attempt_id: UUID
    kind: ActionKind
    url: str | None


@dataclass(frozen=True)
class LedgerRow:
    """`amount` more - or, negative, less, as when a hold is let go or the gateway takes its word back - of `kind`.

    The last four are the payment's sums after it. `at` is when we heard of it, `happened_at` is by the gateway's clock.
    """

    number: int
    version: int
    at: datetime
    happened_at: datetime
    kind: EntryKind
    amount: int
    attempt_id: UUID
    reference: str
    authorised: int
    captured: int
    refunded: int
    charged_back: int


@dataclass(frozen=True)
class EntryRow:
    """A change: when, what (the event type), by whom (as stored with the event), and which state it led to.

    `code` is what the gateway said of a decline or a failure.
    """

    version: int
    at: datetime
    event: str
    actor: str
    status: ChargeStatus
    attempt_id: UUID | None = None
    attempt_status: AttemptStatus | None = None
    amount: int | None = None
    reason: RefundReason | None = None
    code: str | None = None


@dataclass(frozen=True)
class PaymentRow:
    """Columns of the table `payments`: the money of one order. `status` is the order's charge status.

    `authorised` is held for us or captured; what was let go again does not count. `paid` is what we have of the
    customer's money. `state` is the aggregate's own, from which all of this follows; `provider_ids` are the gateway's
    names for anything in it.
    """

    id: UUID
    version: int
    updated_at: datetime
    order_id: UUID
    customer_id: UUID
    currency: str
    status: ChargeStatus
    due: int
    created_at: datetime
    state: Payment
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    charged_back: int = 0
    paid: int = 0
    method: PaymentMethod | None = None
    active_attempt_id: UUID | None = None
    next_action: NextActionRow | None = None
    attempts: tuple[AttemptRow, ...] = ()
    ledger: tuple[LedgerRow, ...] = ()
    timeline: tuple[EntryRow, ...] = ()
    provider_ids: tuple[str, ...] = ()
    unmatched: int = 0


@dataclass(frozen=True)
class UnmatchedRow:
    """Columns of the table `unmatched_outcomes`: what the gateway said and what fits no attempt of the payment.

    `said` is the event type it would have been. The amount may be in another currency than the payment.
    """

    id: UUID
    version: int
    updated_at: datetime
    payment_id: UUID
    attempt_id: UUID
    said: str
    reference: str
    amount: int | None
    currency: str | None
    happened_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class UnmatchedWebhookRow:
    """Columns of the table `unmatched_webhooks`: what a gateway told us and what is about no payment of ours."""

    id: UUID
    version: int
    updated_at: datetime
    gateway: str
    hook_id: str
    type: str
    reference: str | None
    happened_at: datetime
    created_at: datetime
