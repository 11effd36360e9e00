"""To-do rows as operators see them: what is open, what fails, and taking one in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from domain.event import JSON
from projections.pool import Connection
from projections.todo import CHANNEL


class Status(StrEnum):
    OPEN = "OPEN"
    PAUSED = "PAUSED"  # by an operator; it may still be under way
    DONE = "DONE"
    FAILED = "FAILED"  # refused, or given up


@dataclass(frozen=True, slots=True)
class Todo:
    """A row; what its columns mean stands in sql/0003_todo.sql."""

    id: UUID
    kind: str
    context: str
    subject: UUID
    data: JSON
    status: str
    due_at: datetime
    attempt: int
    first_tried_at: datetime | None
    last_error: str | None
    worker: str | None
    leased_until: datetime | None
    outcome: JSON | None
    correlation_id: str
    causation_id: UUID | None
    traceparent: str | None
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; without a status all that are not done. `failing`: tried in vain at least once."""

    kind: str | None = None
    status: Status | None = None
    failing: bool = False


class NotTakenInHand(Exception):
    """A row is not as it must be for what is asked of it."""


COLUMNS: Final = ", ".join(field.name for field in fields(Todo))

LIST: Final = f"""
SELECT {COLUMNS} FROM projections.todo
WHERE CASE WHEN %(status)s::text IS NULL THEN status <> 'DONE' ELSE status = %(status)s END
    AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (NOT %(failing)s OR last_error IS NOT NULL)
ORDER BY due_at, id LIMIT %(limit)s
"""
ONE: Final = f"SELECT {COLUMNS} FROM projections.todo WHERE id = %s OR subject = %s ORDER BY created_at DESC LIMIT 1"
BY_ID: Final = f"SELECT {COLUMNS} FROM projections.todo WHERE id = %s FOR UPDATE"

RETRY: Final = "UPDATE projections.todo SET status = 'OPEN', due_at = statement_timestamp() WHERE id = %s"
PAUSE: Final = "UPDATE projections.todo SET status = 'PAUSED' WHERE id = %s"


async def listed(connection: Connection, wanted: Wanted, limit: int) -> Sequence[Todo]:
    """What is due first, first."""
    values = {"status": wanted.status, "kind": wanted.kind, "failing": wanted.failing, "limit": limit}
    return await _fetched(connection, LIST, values)


async def shown(connection: Connection, id: UUID) -> Todo | None:
    """By its id, or the latest about this aggregate."""
    return next(iter(await _fetched(connection, ONE, [id, id])), None)


async def retry_now(connection: Connection, id: UUID) -> None:
    """Makes it due at once, paused or not. In a transaction of the caller's. Raises NotTakenInHand."""
    await _open(connection, id)
    await connection.execute(RETRY, [id])
    await connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])


async def pause(connection: Connection, id: UUID) -> None:
    """Lets nobody take it any more; who has it may end. In a transaction of the caller's. Raises NotTakenInHand."""
    await _open(connection, id)
    await connection.execute(PAUSE, [id])


async def _open(connection: Connection, id: UUID) -> Todo:
    found = await _fetched(connection, BY_ID, [id])
    if not found:
        raise NotTakenInHand(f"there is no to-do {id}: `chobo todo list` shows them")
    if found[0].closed_at is not None:
        raise NotTakenInHand(f"to-do {id} is {found[0].status}: its outcome is recorded, and stays")
    return found[0]


async def _fetched(connection: Connection, query: str, values: Any) -> list[Todo]:
    cursor = connection.cursor(row_factory=class_row(Todo))
    await cursor.execute(query.encode(), values)
    return await cursor.fetchall()
