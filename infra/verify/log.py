"""`chobo verify log`: positions, versions, ids and every event of a context's log, beside a writer at work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, AsyncServerCursor, IsolationLevel

from domain.ids import slice_of
from infra.event_log.log import KeyStore
from infra.verify.finding import Code, Finding, Tally
from infra.verify.reading import Reading

AT_ONCE: Final = 2_000  # events held in memory at a time

POSITIONS: Final = """
SELECT before + 1, position - 1 FROM (
    SELECT notification_id AS position, lag(notification_id, 1, 0::bigint) OVER (ORDER BY notification_id) AS before
    FROM {schema}.stored_events
) AS e
WHERE position <> before + 1 ORDER BY 1
"""

VERSIONS: Final = """
SELECT id, version, before, position, earlier FROM (
    SELECT originator_id AS id, originator_version AS version, notification_id AS position,
        lag(originator_version, 1, 0::bigint) OVER stream AS before,
        lag(notification_id, 1, 0::bigint) OVER stream AS earlier
    FROM {schema}.stored_events
    WINDOW stream AS (PARTITION BY originator_id ORDER BY originator_version)
) AS e
WHERE version <> before + 1 OR position <= earlier
"""

IDS: Final = """
SELECT event_id, count(*), min(notification_id) FROM {schema}.stored_events GROUP BY event_id HAVING count(*) > 1
"""

CUT: Final = """
SELECT i.head, h.head
FROM (SELECT head FROM {schema}.incarnation ORDER BY number DESC LIMIT 1) AS i
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM {schema}.stored_events) AS h
WHERE i.head > h.head
"""

REPLIES: Final = """
SELECT r.key, r.first FROM {schema}.replies r
WHERE r.first > (SELECT coalesce(max(notification_id), 0) FROM {schema}.stored_events)
"""

SNAPSHOTS: Final = """
SELECT s.originator_id, s.originator_version FROM {schema}.snapshots s
WHERE NOT EXISTS (
    SELECT FROM {schema}.stored_events e
    WHERE (e.originator_id, e.originator_version) = (s.originator_id, s.originator_version)
)
"""

EVENTS: Final = """
SELECT originator_id, originator_version, topic, state, notification_id, {schema}.chobo_slice(originator_id),
    recorded_at < lag(recorded_at) OVER (ORDER BY notification_id)
FROM {schema}.stored_events ORDER BY notification_id
"""

Told = Callable[[Sequence[Any]], tuple[Code, str, UUID | None, int | None]]


def _gap(row: Sequence[Any]) -> tuple[Code, str, UUID | None, int | None]:
    first, last = row
    if last < first:
        return Code.POSITION_GAP, f"position {first - 1} is there more than once", None, first - 1
    return Code.POSITION_GAP, f"no event has position {_range(first, last)}", None, first


def _version(row: Sequence[Any]) -> tuple[Code, str, UUID | None, int | None]:
    id, version, before, position, earlier = row
    if version != before + 1:
        return Code.VERSION_GAP, f"version {version} comes after version {before}", id, position
    return Code.OUT_OF_ORDER, f"version {version} is at {position}, version {before} later, at {earlier}", id, position


def _twice(row: Sequence[Any]) -> tuple[Code, str, UUID | None, int | None]:
    return Code.EVENT_ID_TWICE, f"{row[1]} events have the id {row[0]}", None, row[2]


def _cut(row: Sequence[Any]) -> tuple[Code, str, UUID | None, int | None]:
    return Code.CUT, f"the log ends at {row[1]}, this incarnation of it began at {row[0]}", None, row[1]


def _reply(row: Sequence[Any]) -> tuple[Code, str, UUID | None, int | None]:
    return Code.REPLY_WITHOUT_EVENT, f"the reply to {row[0]} names an event that is not there", None, row[1]


def _snapshot(row: Sequence[Any]) -> tuple[Code, str, UUID | None, int | None]:
    return Code.SNAPSHOT_AHEAD, f"a snapshot of version {row[1]}, which the stream has not: delete it", row[0], None


CHECKS: Final[tuple[tuple[str, Told], ...]] = (
    (CUT, _cut),
    (POSITIONS, _gap),
    (VERSIONS, _version),
    (IDS, _twice),
    (REPLIES, _reply),
    (SNAPSHOTS, _snapshot),
)


class LogCheck:
    """One context's log, as it is at one moment. Nothing is locked; memory does not grow with the log."""

    def __init__(self, conninfo: str, context: str, keys: KeyStore) -> None:
        self.tally = Tally(context)
        self._conninfo = conninfo
        self._context = context
        self._reading = Reading(keys)

    async def findings(self) -> AsyncIterator[Finding]:
        """Raises psycopg.OperationalError, WrongMasterKey."""
        async with snapshot(self._conninfo) as connection:
            for query, told in CHECKS:
                async for rows in chunks(connection, query.format(schema=self._context)):
                    for row in rows:
                        yield self._found(*told(row))
            async for rows in chunks(connection, EVENTS.format(schema=self._context)):
                async for finding in self._read(rows):
                    yield finding

    async def _read(self, rows: list[Any]) -> AsyncIterator[Finding]:
        self.tally.checked += len(rows)
        unknown = await self._reading.prepared(row[:4] for row in rows)
        for row in rows:
            id, version, _, _, position, slice, backwards = row
            if fault := self._reading.fault(row[:4], unknown):
                yield self._found(fault[0], f"version {version}: {fault[1]}", id, position)
            if slice != slice_of(id):
                detail = f"the database says slice {slice}, this release {slice_of(id)}"
                yield self._found(Code.WRONG_SLICE, detail, id, position)
            if backwards:
                detail = "recorded before the event at the position below: the clock was set back; positions count"
                yield self._found(Code.CLOCK_WENT_BACK, detail, id, position)

    def _found(self, code: Code, detail: str, stream: UUID | None, position: int | None) -> Finding:
        finding = Finding(code, self._context, detail, stream, position)
        self.tally.add(finding)
        return finding


@asynccontextmanager
async def snapshot(conninfo: str) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection of its own on which every statement sees the database as it is now."""
    async with await AsyncConnection.connect(conninfo) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        yield connection


async def chunks(
    connection: AsyncConnection[Any], query: str, params: Sequence[Any] = (), *, size: int = AT_ONCE
) -> AsyncIterator[list[Any]]:
    """The rows of a query, so many at a time. The connection is in a transaction."""
    async with AsyncServerCursor(connection, "chunks") as cursor:
        await cursor.execute(query, params, binary=True)
        while rows := await cursor.fetchmany(size):
            yield rows


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
