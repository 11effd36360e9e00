"""The lives of a log: which one it is in, and the beginning of the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg

from infra.event_log.migrations import LOCK_SPACE, lock_number

INFO: Final = """
SELECT i.id, i.number, i.since, i.reason, coalesce(h.head, 0), h.first_at, h.last_at,
    (SELECT count(*) FROM {schema}.stored_events WHERE originator_version = 1),
    pg_total_relation_size('{schema}.stored_events'),
    (SELECT count(*) FROM {schema}.replies), (SELECT count(*) FROM {schema}.snapshots)
FROM (SELECT * FROM {schema}.incarnation ORDER BY number DESC LIMIT 1) AS i
CROSS JOIN (
    SELECT max(notification_id) AS head,
        (SELECT recorded_at FROM {schema}.stored_events ORDER BY notification_id LIMIT 1) AS first_at,
        (SELECT recorded_at FROM {schema}.stored_events ORDER BY notification_id DESC LIMIT 1) AS last_at
    FROM {schema}.stored_events
) AS h
"""

NEW: Final = """
INSERT INTO {schema}.incarnation (head, reason)
SELECT coalesce(max(notification_id), 0), %s FROM {schema}.stored_events
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Info:
    """A log as it is now. `incarnations` counts its lives, this one included."""

    context: str
    incarnation: UUID
    incarnations: int
    since: datetime
    reason: str
    head: int
    first_at: datetime | None
    last_at: datetime | None
    streams: int
    bytes: int
    replies: int
    snapshots: int


def info(conninfo: str, context: str) -> Info:
    """Raises psycopg.OperationalError."""
    with psycopg.connect(conninfo) as connection:
        row: Any = connection.execute(INFO.format(schema=context).encode()).fetchone()
    return Info(context, *row)


def new_incarnation(conninfo: str, context: str, reason: str) -> UUID:
    """From now on consumers that followed the log before stop and say so. Raises psycopg.OperationalError."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, lock_number(context)])
        row: Any = connection.execute(NEW.format(schema=context).encode(), [reason]).fetchone()
        return UUID(str(row[0]))
