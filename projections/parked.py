"""The books about what consumers could not apply."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from psycopg.rows import class_row

from projections.pool import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parked:
    """A sequence of a consumer that waits. `position` to `recorded_at` are of the event that failed.

    `waiting` are the events behind it up to the checkpoint. `attempts` counts the first one too. What has the same
    `fingerprint` has probably the same cause.
    """

    id: UUID
    consumer: str
    context: str
    sequence: UUID
    slice: int
    position: int
    version: int
    event_id: UUID
    event_type: str
    recorded_at: datetime
    reason: str
    fingerprint: str
    waiting: int
    attempts: int
    parked_at: datetime
    tried_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """What has the same fingerprint: how many sequences, how many events wait in them, an example, since when."""

    fingerprint: str
    sequences: int
    waiting: int
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """Of one consumer in one context."""

    consumer: str
    context: str
    sequences: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """None: whatever it is."""

    consumer: str | None = None
    context: str | None = None
    fingerprint: str | None = None
    sequence: UUID | None = None


COLUMNS: Final = ", ".join(field.name for field in fields(Parked))

WHERE: Final = """
WHERE (%(consumer)s::text IS NULL OR consumer = %(consumer)s) AND (%(context)s::text IS NULL OR context = %(context)s)
    AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
    AND (%(sequence)s::uuid IS NULL OR sequence = %(sequence)s)
"""

LISTED: Final = f"""
SELECT {COLUMNS} FROM projections.parked {WHERE}
    AND (%(at)s::timestamptz IS NULL OR (parked_at, id) > (%(at)s, %(id)s::uuid))
ORDER BY parked_at, id LIMIT %(limit)s
"""

GROUPS: Final = f"""
SELECT fingerprint, count(*) AS sequences, sum(waiting)::bigint AS waiting, min(reason) AS reason,
    min(parked_at) AS since
FROM projections.parked {WHERE}
GROUP BY fingerprint ORDER BY sequences DESC, fingerprint
"""

TOTALS: Final = """
SELECT consumer, context, count(*) AS sequences, sum(waiting)::bigint AS waiting FROM projections.parked
GROUP BY consumer, context ORDER BY consumer, context
"""

EVERYTHING: Final = Wanted()


async def listed(
    connection: Connection, wanted: Wanted = EVERYTHING, *, limit: int = 100, after: Parked | None = None
) -> list[Parked]:
    """The oldest first; the next page comes `after` the last one of a page."""
    place = {"at": after.parked_at if after else None, "id": after.id if after else None, "limit": limit}
    return await _fetched(connection, Parked, LISTED, _values(wanted) | place)


async def shown(connection: Connection, id: UUID) -> Parked | None:
    found = await _fetched(
        connection, Parked, f"SELECT {COLUMNS} FROM projections.parked WHERE id = %(id)s", {"id": id}
    )
    return found[0] if found else None


async def groups(connection: Connection, wanted: Wanted = EVERYTHING) -> list[Group]:
    """By fingerprint, the largest first."""
    return await _fetched(connection, Group, GROUPS, _values(wanted))


async def totals(connection: Connection) -> list[Total]:
    """Of each consumer and context that has anything parked."""
    return await _fetched(connection, Total, TOTALS, {})


def _values(wanted: Wanted) -> dict[str, Any]:
    return {field.name: getattr(wanted, field.name) for field in fields(wanted)}


async def _fetched(connection: Connection, row: type[T], query: str, values: dict[str, Any]) -> list[T]:
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
