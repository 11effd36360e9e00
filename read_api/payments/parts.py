"""What a payment is made of: attempts, what they took and gave back, and the ledger."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain.actor import Actor
from projections.payments.row import AttemptRow, LedgerRow, NextActionRow, PartRow
from read_api.payments.enums import (
    ActionKind,
    Advice,
    AttemptStatus,
    EntryKind,
    EntryStatus,
    PaymentMethod,
)
from read_api.scalars import Money, id_of, money


@strawberry.type(description="What the customer has to do before the payment goes on.")
class NextAction:
    attempt_id: strawberry.ID = strawberry.field(description="The attempt that waits for it.")
    kind: ActionKind = strawberry.field(description="What is to be done.")
    url: str | None = strawberry.field(description="Where to go. Null when it is done in the gateway's own form.")


@strawberry.type(description="Money that was to be taken, or to be given back, in one go.")
class PaymentPart:
    id: strawberry.ID = strawberry.field(description="Its id, as the command named it.")
    attempt_id: strawberry.ID = strawberry.field(description="The attempt it belongs to.")
    amount: Money = strawberry.field(description="How much.")
    status: EntryStatus = strawberry.field(description="What became of it.")
    reference: str | None = strawberry.field(description="The gateway's name for it; for staff only.")


@strawberry.type(description="An attempt to pay. One at a time is active.")
class PaymentAttempt:
    id: strawberry.ID = strawberry.field(description="Its id.")
    status: AttemptStatus = strawberry.field(description="Where it is in its life.")
    method: PaymentMethod = strawberry.field(description="How it is paid.")
    amount: Money = strawberry.field(description="What was to be paid by it.")
    authorised: Money = strawberry.field(description="What the gateway agreed to hold.")
    captured: Money = strawberry.field(description="Taken from the customer.")
    refunded: Money = strawberry.field(description="Given back.")
    charged_back: Money = strawberry.field(description="Taken back by the customer's bank.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    expires_at: datetime | None = strawberry.field(description="Until when it is held.")
    advice: Advice | None = strawberry.field(description="Null unless it was declined.")
    declined: str | None = strawberry.field(description="The gateway's reason; for staff only.")
    reference: str | None = strawberry.field(description="The gateway's name for it; for staff only.")


@strawberry.type(description="A movement of money. The entries add up to the payment's sums.")
class LedgerEntry:
    number: int = strawberry.field(description="Its place in the ledger, from 1.")
    at: datetime = strawberry.field(description="When we heard of it.")
    happened_at: datetime = strawberry.field(description="When it happened, by the gateway's clock.")
    kind: EntryKind = strawberry.field(description="Which sum it changes.")
    amount: Money = strawberry.field(description="Less than nothing where it was let go or taken back.")
    attempt_id: strawberry.ID = strawberry.field(description="The attempt it belongs to.")


def next_action(row: NextActionRow | None) -> NextAction | None:
    return NextAction(attempt_id=id_of(row.attempt_id), kind=row.kind, url=row.url) if row else None


def attempt(row: AttemptRow, currency: str, actor: Actor) -> PaymentAttempt:
    return PaymentAttempt(
        id=id_of(row.id),
        status=row.status,
        method=row.method,
        amount=money(row.amount, currency),
        authorised=money(row.authorised, currency),
        captured=money(row.captured, currency),
        refunded=money(row.refunded, currency),
        charged_back=money(row.charged_back, currency),
        created_at=row.created_at,
        expires_at=row.expires_at,
        advice=row.advice,
        declined=row.declined if actor.in_charge else None,
        reference=row.reference if actor.in_charge else None,
    )


def part(row: PartRow, of: AttemptRow, currency: str, actor: Actor) -> PaymentPart:
    return PaymentPart(
        id=id_of(row.id),
        attempt_id=id_of(of.id),
        amount=money(row.amount, currency),
        status=row.status,
        reference=row.reference if actor.in_charge else None,
    )


def entry(row: LedgerRow, currency: str) -> LedgerEntry:
    return LedgerEntry(
        number=row.number,
        at=row.at,
        happened_at=row.happened_at,
        kind=row.kind,
        amount=money(row.amount, currency),
        attempt_id=id_of(row.attempt_id),
    )
