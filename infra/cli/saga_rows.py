"""Sagas as a person reads them: what `chobo sagas list` shows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import typer

from domain.sagas.saga import Status
from infra.cli.databases import opened
from infra.cli.show import show
from infra.databases import READS
from infra.settings import Settings
from projections.listing import Condition, Page
from projections.sagas.queries import NEWEST_FIRST, SAGAS, Usual, age, is_slow, usual
from projections.sagas.row import SagaRow, WaitsFor


def wanted(*, process: str | None, status: str | None, waits_for: str | None, order: UUID | None) -> list[Condition]:
    """Raises BadParameter."""
    found = [Condition("process", "eq", process)] if process else []
    if status:
        found.append(Condition("status", "eq", one_of(Status, "--status", status)))
    if waits_for:
        found.append(Condition("waits_for", "eq", one_of(WaitsFor, "--waits-for", waits_for)))
    return [*found, Condition("order_id", "eq", order)] if order else found


def one_of(kind: type[Status | WaitsFor], option: str, value: str) -> str:
    try:
        return kind(value.upper())
    except ValueError:
        raise typer.BadParameter(f"{option} {value}: it is one of {', '.join(kind)}") from None


async def show_list(settings: Settings, where: list[Condition], limit: int, *, slow: bool, as_json: bool) -> None:
    now = datetime.now(UTC)
    async with opened(settings) as databases:
        pool = databases.pool(READS)
        found = await SAGAS.page(pool, where, NEWEST_FIRST, Page(limit))
        takes = await usual(pool)
    rows = [row for row in found.rows if not slow or is_slow(row, takes, now)]
    show((whole(row, takes, now) if as_json else short(row, takes, now) for row in rows), as_json=as_json)


def whole(row: SagaRow, takes: Usual, now: datetime) -> dict[str, Any]:
    values = asdict(row)
    del values["state"]
    return values | {"age": age(row, now), "p95": takes[row.process][1] if row.process in takes else None}


def short(row: SagaRow, takes: Usual, now: datetime) -> dict[str, Any]:
    usual_age = f" (95 %: {takes[row.process][1]:.1f})" if row.process in takes else ""
    return {
        "id": row.id,
        "process": row.process,
        "status": f"{row.status}{' paused' if row.paused else ''}{f' {row.outcome}' if row.outcome else ''}",
        "step": f"{row.step} ({row.number} of {row.of})" if row.step else "",
        "waits for": row.waits_for,
        "since": row.since.isoformat()[:19],
        "age, s": f"{age(row, now):.1f}{usual_age}",
        "next try": row.next_at.isoformat()[:19] if row.next_at else "",
        "why": row.code or "",
        "money": f"{row.held + row.captured - row.refunded} {row.currency}" if row.currency else "",
        "goods": row.reserved - row.committed - row.released,
    }
