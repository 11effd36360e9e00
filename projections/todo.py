"""To-do: durable pieces of work with an outside - calls, mails, commands, timers - each done until it has an outcome.

A row is leased, done without any transaction open, and closed. Time is the database's alone: what a worker's clock
says does not matter. Who adds rows inside a transaction of their own calls `add`; workers are in `doing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from domain.event import JSON
from domain.ids import new_id
from projections.pool import Connection, Cursor

CHANNEL: Final = "chobo_todo"
"""Notified of rows that may be due; what it says is of no account."""

POLL: Final = 5.0
"""Seconds after which workers look for what is due, rung for or not: nobody is notified of what is due later."""

KEPT: Final = 30
"""Days for which closed rows can be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Work to be done. `id` is that of the event that asks for it, or derived from that; `data` is ids and numbers.

    Due at once, or at a time of its own. The rest links what it causes to what caused it.
    """

    id: UUID
    kind: str
    context: str
    subject: UUID
    data: JSON = field(default_factory=dict)
    due_at: datetime | None = None
    correlation_id: str = ""
    causation_id: UUID | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A row in the hands of a worker. `id` is the idempotency key for everything that is done for it.

    `attempt` counts from 1; `tried_for` are the seconds since the first; `last_error` is what the one before met.
    """

    id: UUID
    kind: str
    context: str
    subject: UUID
    data: JSON
    attempt: int
    tried_for: float
    last_error: str | None
    correlation_id: str
    causation_id: UUID | None
    traceparent: str | None
    lease: UUID


@dataclass(frozen=True, slots=True)
class Room:
    """For `most` rows of these kinds. The name of a kind has no blank."""

    kinds: Sequence[str]
    most: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Work that was brought to an end: as it was wanted, or badly."""

    work: Work
    well: bool
    outcome: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind: rows `open`, of them `due`, `failing` (tried in vain at least once) and `paused`.

    `late` are the seconds for which the oldest has been due; `failed` are closed rows that ended badly.
    """

    kind: str
    open: int
    due: int
    late: float
    failing: int
    paused: int
    failed: int


ADD: Final = """
WITH added AS (
    INSERT INTO projections.todo
        (id, kind, context, subject, data, due_at, correlation_id, causation_id, traceparent)
    SELECT id, kind, context, subject, data, coalesce(due_at, statement_timestamp()),
        correlation_id, causation_id, traceparent
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::jsonb[], %s::timestamptz[], %s::text[], %s::uuid[],
        %s::text[]) AS asked
        (id, kind, context, subject, data, due_at, correlation_id, causation_id, traceparent)
    ON CONFLICT DO NOTHING
    RETURNING due_at
)
SELECT pg_notify(%s, '') FROM added WHERE due_at < statement_timestamp() + make_interval(secs => %s) LIMIT 1
"""

LEASE: Final = """
WITH free AS (
    SELECT due.id FROM unnest(%s::text[], %s::int[]) AS room (kinds, most)
    CROSS JOIN LATERAL (
        SELECT id, free_at FROM projections.todo
        WHERE status = 'OPEN' AND free_at <= statement_timestamp() AND kind = ANY(string_to_array(room.kinds, ' '))
        ORDER BY free_at LIMIT room.most
        FOR UPDATE SKIP LOCKED
    ) AS due
    ORDER BY due.free_at LIMIT %s
)
UPDATE projections.todo t SET lease = %s, worker = %s, attempt = attempt + 1,
    leased_until = statement_timestamp() + make_interval(secs => %s),
    first_tried_at = coalesce(first_tried_at, statement_timestamp())
FROM free WHERE t.id = free.id
RETURNING t.id, kind, context, subject, data, attempt,
    extract(epoch FROM statement_timestamp() - first_tried_at)::float8, last_error, correlation_id, causation_id,
    traceparent, lease
"""

NEXT: Final = """
SELECT extract(epoch FROM min(free_at) - statement_timestamp())::float8 FROM projections.todo
WHERE status = 'OPEN' AND kind = ANY(%s)
"""

RENEW: Final = """
UPDATE projections.todo t SET leased_until = statement_timestamp() + make_interval(secs => %s)
FROM unnest(%s::uuid[], %s::uuid[]) AS held (id, lease)
WHERE t.id = held.id AND t.lease = held.lease
RETURNING t.id
"""

# A close that the server forgets when it dies is as good as a worker's death just before it: the log has the outcome.
CLOSE: Final = """
UPDATE projections.todo t SET status = e.status, outcome = e.outcome, closed_at = statement_timestamp(),
    lease = NULL, worker = NULL, leased_until = NULL
FROM set_config('synchronous_commit', 'off', true),
    unnest(%s::uuid[], %s::uuid[], %s::text[], %s::jsonb[]) AS e (id, lease, status, outcome)
WHERE t.id = e.id AND t.lease = e.lease
RETURNING t.id
"""

RETRY: Final = """
UPDATE projections.todo SET due_at = statement_timestamp() + make_interval(secs => %s), last_error = %s,
    lease = NULL, worker = NULL, leased_until = NULL
WHERE id = %s AND lease = %s
"""

POSTPONE: Final = """
UPDATE projections.todo SET due_at = statement_timestamp() + make_interval(secs => %s), data = %s,
    attempt = 0, first_tried_at = NULL, last_error = NULL, lease = NULL, worker = NULL, leased_until = NULL
WHERE id = %s AND lease = %s
"""

RELEASE: Final = """
UPDATE projections.todo t SET attempt = attempt - 1, lease = NULL, worker = NULL, leased_until = NULL
FROM unnest(%s::uuid[], %s::uuid[]) AS held (id, lease)
WHERE t.id = held.id AND t.lease = held.lease
RETURNING pg_notify(%s, '')
"""

FIGURES: Final = """
SELECT kind, count(*) FILTER (WHERE closed_at IS NULL),
    count(*) FILTER (WHERE status = 'OPEN' AND free_at <= statement_timestamp()),
    coalesce(extract(epoch FROM statement_timestamp() - min(due_at)
        FILTER (WHERE status = 'OPEN' AND due_at <= statement_timestamp())), 0)::float8,
    count(*) FILTER (WHERE closed_at IS NULL AND last_error IS NOT NULL),
    count(*) FILTER (WHERE status = 'PAUSED'),
    count(*) FILTER (WHERE status = 'FAILED')
FROM projections.todo WHERE status <> 'DONE' GROUP BY kind ORDER BY kind
"""

PRUNE: Final = """
DELETE FROM projections.todo WHERE id IN (
    SELECT id FROM projections.todo WHERE closed_at < statement_timestamp() - make_interval(days => %s) LIMIT 1000)
"""


async def add(connection: Connection, asked: Sequence[Asked]) -> None:
    """Adds rows in the caller's transaction, in a pipeline if there is one; those that exist stay as they are."""
    if asked:
        columns = [[_dumped(getattr(one, f.name)) for one in asked] for f in fields(Asked)]
        await connection.execute(ADD, [*columns, CHANNEL, POLL])


async def lease(connection: Connection, rooms: Iterable[Room], most: int, seconds: float, worker: str) -> list[Work]:
    """Takes rows that are due and that nobody has, the longest due first, for so many seconds.

    At most so many of all, and of each room's kinds no more than there is room for.
    """
    return await _taken(await _lease(connection, list(rooms), most, seconds, worker))


async def lease_and_look(
    connection: Connection, rooms: Sequence[Room], most: int, seconds: float, worker: str
) -> tuple[list[Work], float | None]:
    """What `lease` does, and what `next_due` says of the kinds there was room for, in one round trip."""
    async with connection.pipeline():
        taking = await _lease(connection, rooms, most, seconds, worker)
        looking = await connection.execute(NEXT, [[kind for room in rooms for kind in room.kinds]])
    return await _taken(taking), await _due(looking)


async def next_due(connection: Connection, kinds: Iterable[str]) -> float | None:
    """Seconds until a row is due or its lease ends; negative for one that is due, None when there is nothing to do."""
    return await _due(await connection.execute(NEXT, [list(kinds)]))


async def renew(connection: Connection, held: Iterable[Work], seconds: float) -> set[UUID]:
    """Holds these for so many seconds from now. The ids of those that are still ours."""
    cursor = await connection.execute(RENEW, [seconds, *_leases(held)])
    return {id for (id,) in await cursor.fetchall()}


async def close(connection: Connection, ended: Iterable[Ended]) -> set[UUID]:
    """Closes rows with their outcomes. The ids of those that were still theirs who did them: no other was changed."""
    ended = list(ended)
    statuses = ["DONE" if one.well else "FAILED" for one in ended]
    values = [*_leases(one.work for one in ended), statuses, [Jsonb(one.outcome) for one in ended]]
    return {id for (id,) in await (await connection.execute(CLOSE, values)).fetchall()}


async def retry(connection: Connection, work: Work, seconds: float, error: str) -> bool:
    """Gives the row back, to be tried again in so many seconds.

    False when the lease is another's by now: then nothing was changed.
    """
    return (await connection.execute(RETRY, [seconds, error, work.id, work.lease])).rowcount == 1


async def postpone(connection: Connection, work: Work, seconds: float, data: JSON) -> bool:
    """Gives the row back for its next part, with other data: its attempts are counted anew. False as for `retry`."""
    return (await connection.execute(POSTPONE, [seconds, Jsonb(data), work.id, work.lease])).rowcount == 1


async def release(connection: Connection, held: Iterable[Work]) -> None:
    """Gives back what was not brought to an end, as if it had not been taken."""
    await connection.execute(RELEASE, [*_leases(held), CHANNEL])


async def figures(connection: Connection) -> list[Figures]:
    return [Figures(*row) for row in await (await connection.execute(FIGURES)).fetchall()]


async def prune(connection: Connection, days: int = KEPT) -> int:
    """Deletes at most 1,000 rows that were closed so many days ago. How many it were."""
    return (await connection.execute(PRUNE, [days])).rowcount


async def _lease(connection: Connection, rooms: Sequence[Room], most: int, seconds: float, worker: str) -> Cursor:
    values = [[" ".join(room.kinds) for room in rooms], [room.most for room in rooms], most]
    return await connection.execute(LEASE, [*values, new_id(), worker, seconds])


async def _taken(leased: Cursor) -> list[Work]:
    return [Work(*row) for row in await leased.fetchall()]


async def _due(looked: Cursor) -> float | None:
    found = await looked.fetchone()
    return found[0] if found else None


def _dumped(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


def _leases(held: Iterable[Work]) -> tuple[list[UUID], list[UUID]]:
    held = list(held)
    return [work.id for work in held], [work.lease for work in held]
