"""A log as people browse it: the newest first, by stream, type, correlation or time, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from infra.event_log.reader import COLUMNS, END, LogReader, Stored
from projections.feed import Recorded

SOUGHT: Final = """
SELECT {columns} FROM {schema}.stored_events e
WHERE e.notification_id > %(above)s AND e.notification_id < %(below)s{conditions}
ORDER BY {order} DESC LIMIT %(limit)s
"""

CONDITIONS: Final = {
    "stream": " AND e.originator_id = %(stream)s",
    "correlation": " AND e.correlation_id = %(correlation)s",
    "event_type": " AND e.topic = %(event_type)s",
}

LAST_VERSION: Final = """
SELECT originator_version FROM {schema}.stored_events WHERE originator_id = %(id)s
ORDER BY originator_version DESC LIMIT 1
"""

STREAMS: Final = """
SELECT {columns} FROM {schema}.stored_events e WHERE e.originator_id = ANY(%(ids)s)
ORDER BY e.originator_id, e.originator_version
"""

PICKED: Final = """
SELECT {columns} FROM {schema}.stored_events e
WHERE e.originator_id = %(id)s AND e.originator_version = ANY(%(versions)s) ORDER BY e.originator_version
"""

AT: Final = """
SELECT {columns} FROM {schema}.stored_events e WHERE e.notification_id = ANY(%(positions)s) ORDER BY e.notification_id
"""

# Each id by itself: for many at once PostgreSQL would rather look through the log in the order that is asked for.
CORRELATED: Final = """
SELECT {columns}
FROM unnest(%(ids)s::text[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT * FROM {schema}.stored_events WHERE correlation_id = asked.id AND originator_id <> %(but)s LIMIT %(limit)s
) AS e
ORDER BY e.notification_id LIMIT %(limit)s
"""
LEAN: Final = COLUMNS.replace("e.state", "''::bytea AS state")


class BrowsedLog(LogReader):
    async def sought(
        self,
        *,
        stream: UUID | None,
        correlation: str | None,
        event_type: str | None,
        above: int,
        below: int | None,
        limit: int,
    ) -> list[Stored]:
        """The newest first, as they are stored, between two positions that are not among them.

        There is no index by type: who asks for nothing else says how far back to look, by `above`.
        """
        given = {"stream": stream, "correlation": correlation, "event_type": event_type}
        given = {name: value for name, value in given.items() if value is not None}
        conditions = "".join(CONDITIONS[name] for name in given)
        order = "e.notification_id" if stream is None else "e.originator_version"  # the same, by another index
        query = SOUGHT.format(schema=self.context, columns=COLUMNS, conditions=conditions, order=order)
        values = {**given, "above": above, "below": END if below is None else below, "limit": limit}
        return [Stored._make(row) for row in await self._fetch(query, values)]

    async def streams(self, ids: Sequence[UUID]) -> list[Recorded]:
        """The events of several aggregates, one after another, each in order."""
        return await self._read(STREAMS, {"ids": list(ids)})

    async def picked(self, id: UUID, versions: Sequence[int]) -> list[Recorded]:
        """Single events of one aggregate, in order."""
        return await self._read(PICKED, {"id": id, "versions": list(versions)})

    async def at(self, positions: Sequence[int]) -> list[Recorded]:
        """In order."""
        return await self._read(AT, {"positions": list(positions)})

    async def correlated(self, correlation_ids: Sequence[str], limit: int, *, but: UUID) -> list[Stored]:
        """Events of these correlation ids, in order, without their states; those of one aggregate are left out."""
        query = CORRELATED.format(schema=self.context, columns=LEAN)
        rows = await self._fetch(query, {"ids": list(correlation_ids), "limit": limit, "but": but})
        return [Stored._make(row) for row in rows]

    async def _read(self, query: str, values: Mapping[str, Any]) -> list[Recorded]:
        rows = await self._fetch(query.format(schema=self.context, columns=COLUMNS), values)
        return await self.decoded([Stored._make(row) for row in rows])

    async def stored_at(self, position: int) -> Stored | None:
        found: Sequence[Stored] = (await self.read_raw(position - 1, 1, position)).events
        return found[0] if found else None

    async def last_version(self, id: UUID) -> int:
        """Of one aggregate; 0 where there is none."""
        found = await self._fetch(LAST_VERSION.format(schema=self.context), {"id": id})
        return int(found[0][0]) if found else 0
