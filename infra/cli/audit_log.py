"""Reads the audit log for a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from typer import BadParameter

from domain.errors import NotFound
from domain.operations.operation import Status
from infra.cli.databases import opened
from infra.cli.show import show, show_line
from infra.databases import READS
from infra.settings import Settings
from projections.audit import AUDIT
from projections.listing import Condition, Page
from projections.operations.queries import LATEST_FIRST
from projections.operations.row import OperationRow


def wanted(**columns: Any) -> list[Condition]:
    """The conditions of those that were given. Raises BadParameter for an unknown status."""
    since: datetime | None = columns.pop("since", None)
    if columns.get("status") not in (None, *Status):
        raise BadParameter(f"unknown status {columns['status']}; there are {', '.join(Status)}")
    found = [Condition(name, "eq", value) for name, value in columns.items() if value is not None]
    if since is not None:
        found.append(Condition("requested_at", "gte", since.replace(tzinfo=since.tzinfo or UTC)))
    return found


async def show_list(settings: Settings, where: Sequence[Condition], limit: int, *, as_json: bool) -> None:
    async with opened(settings) as databases:
        found = await AUDIT.page(databases.pool(READS), where, LATEST_FIRST, Page(limit))
    show(map(told if as_json else short, found.rows), as_json=as_json)


async def show_one(settings: Settings, id: UUID, *, as_json: bool) -> None:
    """Raises NotFound."""
    async with opened(settings) as databases:
        row = await AUDIT.one(databases.pool(READS), id)
    if row is None:
        raise NotFound("operation", id)
    if as_json:
        show_line(told(row))
        return
    for name, value in told(row).items():
        print(f"{name:<14} {'' if value is None else value}")


def told(row: OperationRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "version": row.version,
        "requestedAt": row.requested_at.isoformat(),
        "endedAt": row.ended_at.isoformat() if row.ended_at else None,
        "actor": row.actor,
        "kind": row.kind,
        "target": row.target,
        "parameters": row.parameters,
        "reason": row.reason,
        "status": row.status,
        "result": row.result,
        "explanation": row.explanation,
        "correlationId": row.correlation_id,
    }


def short(row: OperationRow) -> dict[str, Any]:
    """The columns a person reads first."""
    came_of_it = row.explanation or (json.dumps(row.result) if row.result else "")
    return {
        "requested at": row.requested_at.isoformat()[:19],
        "id": row.id,
        "actor": row.actor,
        "what": row.kind,
        "target": row.target,
        "reason": row.reason or "",
        "status": row.status,
        "what came of it": came_of_it,
    }
