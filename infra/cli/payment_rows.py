"""Shows a person payments, as the read model has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import typer

from domain.errors import NotFound
from domain.ids import OrderId, payment_of
from domain.money import Money
from domain.payments.payment import ChargeStatus
from infra.cli.databases import opened
from infra.cli.show import show, show_line
from infra.databases import READS
from infra.settings import Settings
from projections.listing import Condition, Ordering, Page
from projections.payments.queries import PAYMENTS, UNMATCHED, UNMATCHED_WEBHOOKS
from projections.payments.row import AttemptRow, EntryRow, LedgerRow, PaymentRow, UnmatchedRow, UnmatchedWebhookRow

NEWEST: Final = Ordering("created_at", descending=True)


def wanted(status: str | None, customer: UUID | None) -> list[Condition]:
    conditions = [Condition("customer_id", "eq", customer)] if customer else []
    if status is None:
        return conditions
    if status not in ChargeStatus.__members__:
        raise typer.BadParameter(f"--status {status}: it is one of {', '.join(ChargeStatus)}")
    return [*conditions, Condition("status", "eq", status)]


async def show_list(settings: Settings, where: Iterable[Condition], limit: int, *, as_json: bool) -> None:
    async with opened(settings) as databases:
        found = await PAYMENTS.page(databases.pool(READS), where, NEWEST, Page(limit))
    show(map(whole if as_json else short, found.rows), as_json=as_json)


async def show_one(settings: Settings, id: UUID, *, as_json: bool) -> None:
    """Raises NotFound."""
    async with opened(settings) as databases:
        found = await PAYMENTS.many(databases.pool(READS), [id, payment_of(OrderId(id))])
    row = next(iter(found.values()), None)
    if row is None:
        raise NotFound("payment", id)
    if as_json:
        show_line(whole(row))
        return
    for line in lines(row):
        print(line)


async def show_unmatched(settings: Settings, limit: int, *, as_json: bool) -> None:
    async with opened(settings) as databases:
        pool = databases.pool(READS)
        webhooks = await UNMATCHED_WEBHOOKS.page(pool, [], NEWEST, Page(limit))
        outcomes = await UNMATCHED.page(pool, [], NEWEST, Page(limit))
    both = [*map(of_webhook, webhooks.rows), *map(of_outcome, outcomes.rows)]
    show(sorted(both, key=lambda row: row["at"], reverse=True)[:limit], as_json=as_json)


def of_webhook(row: UnmatchedWebhookRow) -> dict[str, str]:
    return {
        "at": row.created_at.isoformat()[:19],
        "from": row.gateway,
        "what": row.type,
        "reference": row.reference or "",
        "payment": "",
        "amount": "",
    }


def of_outcome(row: UnmatchedRow) -> dict[str, str]:
    return {
        "at": row.created_at.isoformat()[:19],
        "from": "payments",
        "what": row.said,
        "reference": row.reference,
        "payment": str(row.payment_id),
        "amount": amount(row.amount, row.currency),
    }


def amount(minor: int | None, currency: str | None) -> str:
    return "" if minor is None or currency is None else signed(minor, currency)


def signed(minor: int, currency: str) -> str:
    """Ledger entries may be less than nothing."""
    return ("-" if minor < 0 else "") + str(Money(amount=abs(minor), currency=currency))


def whole(row: PaymentRow) -> dict[str, Any]:
    """All columns but the aggregate's own state."""
    return {name: value for name, value in asdict(row).items() if name != "state"}


def short(row: PaymentRow) -> dict[str, Any]:
    """The columns a person reads first."""
    return {
        "id": row.id,
        "order": row.order_id,
        "status": row.status,
        "due": signed(row.due, row.currency),
        "paid": signed(row.paid, row.currency),
        "attempts": len(row.attempts),
        "method": row.method or "",
        "created": row.created_at.isoformat()[:19],
    }


def lines(row: PaymentRow) -> Iterator[str]:
    """As on a page of an account book."""
    yield from (f"{name:<16} {value}" for name, value in short(row).items())
    yield from (f"{name:<16} {value}" for name, value in sums(row))
    for attempt in row.attempts:
        yield from of_attempt(attempt, row.currency)
    yield "ledger"
    yield from (of_ledger(entry, row.currency) for entry in row.ledger)
    yield "timeline"
    yield from (of_timeline(entry, row.currency) for entry in row.timeline)


def of_ledger(entry: LedgerRow, currency: str) -> str:
    at, change = entry.happened_at.isoformat()[:19], signed(entry.amount, currency)
    return f"  {entry.number:>3} {at}  {entry.kind:<13} {change:>16}  {entry.reference}"


def of_timeline(entry: EntryRow, currency: str) -> str:
    at, what = entry.at.isoformat()[:19], entry.event.partition(".")[2]
    said = " ".join(filter(None, [entry.reason, entry.code, amount(entry.amount, currency)]))
    return f"  {entry.version:>3} {at}  {what:<22} {entry.actor}  {said}".rstrip()


def sums(row: PaymentRow) -> Iterator[tuple[str, str]]:
    for name in ("authorised", "captured", "refunded", "charged_back"):
        yield name, signed(getattr(row, name), row.currency)
    yield "unmatched", str(row.unmatched)


def of_attempt(attempt: AttemptRow, currency: str) -> Iterator[str]:
    status = f"{attempt.status}{', to be voided' if attempt.voiding else ''}"
    declined = f" {attempt.declined}, {attempt.advice}" if attempt.declined else ""
    yield f"attempt {attempt.id}  {attempt.method}  {signed(attempt.amount, currency)}  {status}{declined}"
    yield f"  at the gateway: {attempt.reference or 'not known yet'}"
    for kind, parts in (("capture", attempt.captures), ("refund", attempt.refunds)):
        for part in parts:
            told = part.reference or ""
            yield f"  {kind} {part.id}  {signed(part.amount, currency)}  {part.status.value}  {told}"
