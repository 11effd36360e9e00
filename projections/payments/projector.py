"""Payments as they are looked up.

What the gateway said may come late, twice or be taken back, and the aggregate knows what then holds: so the row carries
the aggregate's state and shows what follows from it. The functions here add what the aggregate does not keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from domain.event import Event
from domain.ids import derive
from domain.money import Money
from domain.payments.attempt import Attempt, AttemptStatus, Entry
from domain.payments.events import (
    ActionRequired,
    AttemptCreated,
    CaptureFailed,
    Outcome,
    OutcomeUnmatched,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentOpened,
    PaymentRefunded,
    RefundFailed,
    RefundRequested,
)
from domain.payments.payment import Payment, evolve
from domain.payments.webhook import WebhookReceived
from projections.feed import Recorded
from projections.model import Model, Projector, opened
from projections.payments.row import (
    ActionKind,
    AttemptRow,
    EntryKind,
    EntryRow,
    LedgerRow,
    NextActionRow,
    PartRow,
    PaymentRow,
    UnmatchedRow,
    UnmatchedWebhookRow,
)
from projections.row import replace

Sums = dict[EntryKind, int]


def unmatched_id(event: Event) -> UUID:
    return derive("unmatched", f"{event.originator_id}/{event.originator_version}")


def unmatched_hook(event: WebhookReceived) -> UUID | None:
    return event.originator_id if event.matched is None else None


payments = Projector("payments", PaymentRow, PaymentEvent)
unmatched = Projector("unmatched_outcomes", UnmatchedRow, OutcomeUnmatched, key=unmatched_id)
unmatched_webhooks = Projector("unmatched_webhooks", UnmatchedWebhookRow, WebhookReceived, key=unmatched_hook)

PAYMENTS = Model("payments", contexts=("payments",), projectors=(payments, unmatched, unmatched_webhooks))


# -- payments


@payments.opens(PaymentOpened)
def payment_opened(event: PaymentOpened) -> PaymentRow:
    state = evolve(None, event)
    return PaymentRow(
        **opened(event),
        order_id=event.order_id,
        customer_id=event.customer_id,
        currency=event.due.currency,
        status=state.status,
        due=event.due.amount,
        created_at=event.timestamp,
        state=state,
    )


@payments.on(AttemptCreated)
def attempt_created(row: PaymentRow, event: AttemptCreated) -> PaymentRow:
    attempt = AttemptRow(event.attempt_id, event.method, event.amount.amount, event.timestamp)
    return replace(row, method=event.method, attempts=(*row.attempts, attempt))


@payments.on(ActionRequired)
def action_required(row: PaymentRow, event: ActionRequired) -> PaymentRow:
    return with_attempt(row, event.attempt_id, action_url=event.url)


@payments.on(PaymentAuthorised)
def authorised(row: PaymentRow, event: PaymentAuthorised) -> PaymentRow:
    return with_attempt(row, event.attempt_id, expires_at=event.expires_at)


@payments.on(PaymentDeclined)
def declined(row: PaymentRow, event: PaymentDeclined) -> PaymentRow:
    return with_attempt(row, event.attempt_id, declined=event.code, advice=event.advice)


@payments.every
def settled(row: PaymentRow, recorded: Recorded) -> PaymentRow:
    """What the event made of the payment: its attempts and sums, the ledger and the timeline."""
    event: Any = recorded.event
    before = row.state
    state = before if event.originator_version == before.version else evolve(before, event)
    row = shown(row, state, event)
    return replace(
        row,
        ledger=(*row.ledger, *ledger_entries(row, before, event)),
        timeline=(*row.timeline, entry(row, recorded)),
    )


def shown(row: PaymentRow, state: Payment, event: PaymentEvent) -> PaymentRow:
    """The row with all that follows from the aggregate's state."""
    sums = sums_of(state)
    rows = {attempt.id: attempt for attempt in row.attempts}
    attempts = tuple(attempt_shown(rows[attempt.id], attempt, event) for attempt in state.attempts)
    active = state.active
    return replace(
        row,
        state=state,
        status=state.status,
        authorised=sums[EntryKind.AUTHORISED],
        captured=sums[EntryKind.CAPTURED],
        refunded=sums[EntryKind.REFUNDED],
        charged_back=sums[EntryKind.CHARGED_BACK],
        paid=state.paid.amount,
        active_attempt_id=active.id if active else None,
        next_action=next_action(attempts, active),
        attempts=attempts,
        provider_ids=with_reference(row.provider_ids, event),
        unmatched=state.unmatched,
    )


def attempt_shown(row: AttemptRow, attempt: Attempt, event: PaymentEvent) -> AttemptRow:
    references = {part.id: part.reference for part in (*row.captures, *row.refunds)} | reference_of(event)
    return replace(
        row,
        status=attempt.status,
        authorised=attempt.authorised.amount,
        captured=attempt.captured.amount,
        refunded=attempt.refunded.amount,
        charged_back=attempt.charged_back.amount,
        voiding=attempt.void_key is not None,
        reference=attempt.reference,
        captures=parts(attempt.captures, references),
        refunds=parts(attempt.refunds, references),
    )


def parts(entries: Iterable[Entry], references: dict[UUID, str | None]) -> tuple[PartRow, ...]:
    return tuple(PartRow(e.id, e.amount.amount, e.status, references.get(e.id)) for e in entries)


def reference_of(event: PaymentEvent) -> dict[UUID, str | None]:
    """The gateway's name for the capture or the refund the event is about."""
    match event:
        case PaymentCaptured() | CaptureFailed():
            return {event.capture_id: event.reference}
        case PaymentRefunded() | RefundFailed():
            return {event.refund_id: event.reference}
        case _:
            return {}


def with_reference(known: tuple[str, ...], event: PaymentEvent) -> tuple[str, ...]:
    if isinstance(event, Outcome) and event.reference and event.reference not in known:
        return (*known, event.reference)
    return known


def with_attempt(row: PaymentRow, id: UUID, **changes: Any) -> PaymentRow:
    return replace(row, attempts=tuple(replace(a, **changes) if a.id == id else a for a in row.attempts))


def next_action(attempts: Iterable[AttemptRow], active: Attempt | None) -> NextActionRow | None:
    if active is None or active.status is not AttemptStatus.ACTION_REQUIRED:
        return None
    url = next(attempt.action_url for attempt in attempts if attempt.id == active.id)
    return NextActionRow(active.id, ActionKind.REDIRECT if url else ActionKind.CONFIRM, url)


def sums_of(payment: Payment) -> Sums:
    return {
        EntryKind.AUTHORISED: sum(held_or_captured(attempt) for attempt in payment.attempts),
        EntryKind.CAPTURED: payment.captured.amount,
        EntryKind.REFUNDED: payment.refunded.amount,
        EntryKind.CHARGED_BACK: payment.charged_back.amount,
    }


def held_or_captured(attempt: Attempt) -> int:
    """Of what was let go or has expired only what had been captured."""
    if attempt.told is AttemptStatus.AUTHORISED:
        return attempt.authorised.amount
    return min(attempt.captured.amount, attempt.authorised.amount)


def ledger_entries(row: PaymentRow, before: Payment, event: PaymentEvent) -> Iterator[LedgerRow]:
    """An entry for each sum that the event changed, so that the entries always add up to the sums."""
    if not isinstance(event, Outcome):
        return
    sums, number = sums_of(before), len(row.ledger)
    for kind, after in sums_of(row.state).items():
        change, sums[kind] = after - sums[kind], after
        if change:
            number += 1
            yield LedgerRow(
                number=number,
                version=event.originator_version,
                at=event.timestamp,
                happened_at=event.happened_at,
                kind=kind,
                amount=change,
                attempt_id=event.attempt_id,
                reference=event.reference,
                **{each.lower(): sums[each] for each in EntryKind},
            )


def entry(row: PaymentRow, recorded: Recorded) -> EntryRow:
    event = recorded.event
    attempt = next((a for a in row.attempts if a.id == getattr(event, "attempt_id", None)), None)
    amount = getattr(event, "due", None) or getattr(event, "amount", None)
    return EntryRow(
        event.originator_version,
        event.timestamp,
        event.TOPIC,
        recorded.actor,
        row.status,
        attempt.id if attempt else None,
        attempt.status if attempt else None,
        amount.amount if isinstance(amount, Money) else None,
        event.reason if isinstance(event, RefundRequested) else None,
        event.code if isinstance(event, PaymentDeclined | CaptureFailed | RefundFailed) else None,
    )


# -- what fits no attempt


@unmatched.opens(OutcomeUnmatched)
def outcome_unmatched(event: OutcomeUnmatched) -> UnmatchedRow:
    return UnmatchedRow(
        id=unmatched_id(event),
        version=event.originator_version,
        updated_at=event.timestamp,
        payment_id=event.originator_id,
        attempt_id=event.attempt_id,
        said=event.said,
        reference=event.reference,
        amount=event.amount.amount if event.amount else None,
        currency=event.amount.currency if event.amount else None,
        happened_at=event.happened_at,
        created_at=event.timestamp,
    )


@unmatched_webhooks.opens(WebhookReceived)
def webhook_received(event: WebhookReceived) -> UnmatchedWebhookRow:
    return UnmatchedWebhookRow(
        **opened(event),
        gateway=event.gateway,
        hook_id=event.hook_id,
        type=event.type,
        reference=event.reference,
        happened_at=event.happened_at,
        created_at=event.timestamp,
    )
