"""A log as people browse it: the newest first, by stream, type, correlation or time, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from infra.event_log.reader import COLUMNS, END, LogReader, Stored

SOUGHT: Final = """
SELECT {columns} FROM {schema}.stored_events e
WHERE e.notification_id > %(above)s AND e.notification_id < %(below)s{conditions}
ORDER BY e.notification_id DESC LIMIT %(limit)s
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
        query = SOUGHT.format(schema=self.context, columns=COLUMNS, conditions=conditions)
        values = {**given, "above": above, "below": END if below is None else below, "limit": limit}
        return [Stored._make(row) for row in await self._fetch(query, values)]

    async def stored_at(self, position: int) -> Stored | None:
        found: Sequence[Stored] = (await self.read_raw(position - 1, 1, position)).events
        return found[0] if found else None

    async def last_version(self, id: UUID) -> int:
        """Of one aggregate; 0 where there is none."""
        found = await self._fetch(LAST_VERSION.format(schema=self.context), {"id": id})
        return int(found[0][0]) if found else 0
