"""The part of a log that is not on its topic yet, read as bytes: nothing is decoded on the way to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection, pq

from infra.kafka.message import SPECVERSION, Header, slice_header, source

LIMIT: Final = 2_000  # events of a chunk
CHUNK_BYTES: Final = 8 * 1024 * 1024  # of their states; a single event may be larger

# All as text, which in the binary format is what a header wants. One statement, hence one snapshot.
READ: Final = """
SELECT i.id::text, h.head::text, e.*
FROM (SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1) AS i
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM {schema}.stored_events) AS h
LEFT JOIN LATERAL (
    SELECT notification_id::text AS position, {schema}.chobo_slice(originator_id)::text, originator_id::text,
        originator_version::text, topic, state, event_id::text,
        to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        correlation_id, causation_id::text, actor, traceparent
    FROM (
        SELECT *, sum(octet_length(state)) OVER (ORDER BY notification_id) - octet_length(state) AS bytes_before
        FROM (
            SELECT * FROM {schema}.stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT %s
        ) AS next
    ) AS summed
    WHERE bytes_before < %s ORDER BY notification_id
) AS e ON true
"""
OPTIONAL: Final = ((10, "correlation-id"), (11, "causation-id"), (12, "actor"), (13, "traceparent"))
"""Columns that may be null, and their headers."""
TRACEPARENT: Final = 13


class Unpublished(NamedTuple):
    """What goes to the broker. `state` is the stored one."""

    slice: int
    position: int
    key: bytes
    state: bytes
    headers: list[Header]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next events of a log. `incarnation` and `head` are the log's at that moment."""

    context: str
    incarnation: UUID
    head: int
    _rows: pq.abc.PGresult

    def __len__(self) -> int:
        return self._rows.ntuples if self._rows.get_value(0, 2) is not None else 0

    @property
    def last(self) -> int:
        """The position of the last event, of which there must be one."""
        return int(self._rows.get_value(len(self) - 1, 2) or b"")

    def traceparents(self) -> list[str]:
        """Of the events that have one."""
        given = (self._rows.get_value(row, TRACEPARENT) for row in range(len(self)))
        return [traceparent.decode() for traceparent in given if traceparent is not None]

    def messages(self, lasts: dict[int, int]) -> Iterator[Unpublished]:
        """In order of position. `lasts` has the last position of each slice before, and is kept up as they go."""
        value, of = self._rows.get_value, source(self.context)
        incarnation: Header = "incarnation", str(self.incarnation).encode()
        for row in range(len(self)):
            given = [value(row, column) or b"" for column in range(2, 10)]
            slice, position = int(given[1]), int(given[0])
            headers = [
                SPECVERSION,
                of,
                ("ce_id", given[6]),
                ("ce_type", given[4]),
                ("ce_subject", given[2]),
                ("ce_time", given[7]),
                ("event-version", given[3]),
                SLICE_HEADERS[slice],
                ("position", given[0]),
                ("previous", b"%d" % lasts[slice]),
                incarnation,
            ]
            for column, name in OPTIONAL:
                if (more := value(row, column)) is not None:
                    headers.append((name, more))
            lasts[slice] = position
            yield Unpublished(slice, position, given[2], given[5], headers)


SLICE_HEADERS: Final = [slice_header(slice) for slice in range(64)]


async def read(connection: AsyncConnection[Any], context: str, after: int, limit: int = LIMIT) -> Chunk:
    """The next events after a position. Raises psycopg.Error."""
    cursor = await connection.execute(READ.format(schema=context), [after, limit, CHUNK_BYTES], binary=True)
    rows = cursor.pgresult
    assert rows is not None
    incarnation, head = rows.get_value(0, 0) or b"", rows.get_value(0, 1) or b""
    return Chunk(context, UUID(incarnation.decode()), int(head), rows)
