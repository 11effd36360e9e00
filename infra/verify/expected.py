"""Which rows a generation must have by what its consumers have seen of the logs: put into a temporary table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from domain.event import EVENT_TYPES
from domain.ids import SLICES
from infra.event_log.reader import COLUMNS, Decoder, Stored
from infra.verify.log import chunks
from projections.checkpoint import Checkpoint
from projections.model import Projector

TABLE: Final = sql.Identifier("expected")

CREATE: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS expected (
    id uuid NOT NULL, version bigint NOT NULL, stream uuid NOT NULL, position bigint NOT NULL
) ON COMMIT DROP
"""

# Every event of a stream moves the version of a row that stands for the whole of it.
STREAMS: Final = """
SELECT originator_id, max(originator_version), originator_id, max(notification_id)
FROM {schema}.stored_events
WHERE topic = ANY (%s) AND notification_id <= (%s::bigint[])[1 + {schema}.chobo_slice(originator_id)]
GROUP BY originator_id
"""

EVENTS: Final = f"""
SELECT {COLUMNS}
FROM {{schema}}.stored_events e
WHERE topic = ANY (%s) AND notification_id <= (%s::bigint[])[1 + {{schema}}.chobo_slice(originator_id)]
ORDER BY notification_id
"""

# Of a row that stands for a part of its stream only the events that touch it count.
NEWEST: Final = """
DELETE FROM expected e USING expected o WHERE e.id = o.id AND (e.version, e.ctid) < (o.version, o.ctid)
"""


class Expectations:
    """`connection` is the read database's, `log` the log's, each in a snapshot of its own.

    The read database's was taken first: what it has seen of the log is there.
    """

    def __init__(self, connection: AsyncConnection[Any], decoder: Decoder) -> None:
        self._connection = connection
        self._decoder = decoder

    async def begin(self) -> None:
        """For another table."""
        await self._connection.execute(CREATE)
        await self._connection.execute("TRUNCATE expected")

    async def add(self, projector: Projector[Any], log: AsyncConnection[Any], context: str, upto: Checkpoint) -> None:
        """The rows of this context's events."""
        if not (topics := topics_of(projector, context)):
            return
        query = (EVENTS if projector.keyed else STREAMS).format(schema=context)
        async for rows in chunks(log, query, [topics, [upto.of(slice) for slice in range(SLICES)]]):
            await self._copy(await self._keys(projector, rows) if projector.keyed else rows)

    async def settle(self) -> None:
        """Before it is compared."""
        await self._connection.execute("CREATE INDEX IF NOT EXISTS expected_id ON expected (id)")
        await self._connection.execute("CREATE INDEX IF NOT EXISTS expected_stream ON expected (stream)")
        await self._connection.execute("ANALYZE expected")
        await self._connection.execute(NEWEST)

    async def _keys(self, projector: Projector[Any], rows: Sequence[Any]) -> list[tuple[UUID, int, UUID, int]]:
        found = []
        for recorded in await self._decoder.decoded([Stored._make(row) for row in rows]):
            event = recorded.event
            if (key := projector.key_of(event)) is not None:  # what cannot be read has none, and is parked
                found.append((key, event.originator_version, event.originator_id, recorded.position))
        return found

    async def _copy(self, rows: Iterable[Sequence[Any]]) -> None:
        async with self._connection.cursor().copy("COPY expected FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["uuid", "int8", "uuid", "int8"])
            for row in rows:
                await copy.write_row(row)


def topics_of(projector: Projector[Any], context: str) -> list[str]:
    """The event types of this context that touch the projector's rows."""
    return [t for t, cls in EVENT_TYPES.items() if issubclass(cls, projector.of) and t.startswith(f"{context}.")]
