"""The part of a log that is not on its topic yet, read as bytes: nothing is decoded on the way to the broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.string import ByteaBinaryLoader

from infra.kafka.message import SPECVERSION, Header, slice_header, source

POSITION: Final = 2  # columns of READ
TRACEPARENT: Final = 13

LIMIT: Final = 2_000  # events of a chunk
CHUNK_BYTES: Final = 8 * 1024 * 1024  # of their states; a single event may be larger

# All as text, which in the binary format is what a header wants, and read as bytes. One statement, hence one snapshot.
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
    rows: Sequence[tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def last(self) -> int:
        """The position of the last event, of which there must be one."""
        return int(self.rows[-1][POSITION])

    def traceparents(self) -> list[str]:
        """Of the events that have one."""
        return [row[TRACEPARENT].decode() for row in self.rows if row[TRACEPARENT] is not None]

    def messages(self, lasts: dict[int, int]) -> Iterator[Unpublished]:
        """In order of position. `lasts` has the last position of each slice before, and is kept up as they go."""
        of, rows = source(self.context), self.rows
        incarnation: Header = "incarnation", str(self.incarnation).encode()
        for _, _, position, slice, id, version, type, state, event, at, correlation, causation, actor, trace in rows:
            number, here = int(slice), int(position)
            headers = [
                SPECVERSION,
                of,
                ("ce_id", event),
                ("ce_type", type),
                ("ce_subject", id),
                ("ce_time", at),
                ("event-version", version),
                SLICE_HEADERS[number],
                ("position", position),
                ("previous", b"%d" % lasts[number]),
                incarnation,
            ]
            if correlation is not None:
                headers.append(("correlation-id", correlation))
            if causation is not None:
                headers.append(("causation-id", causation))
            if actor is not None:
                headers.append(("actor", actor))
            if trace is not None:
                headers.append(("traceparent", trace))
            lasts[number] = here
            yield Unpublished(number, here, id, state, headers)


SLICE_HEADERS: Final = [slice_header(slice) for slice in range(64)]


async def read(connection: AsyncConnection[Any], context: str, after: int, limit: int = LIMIT) -> Chunk:
    """The next events after a position. Raises psycopg.Error."""
    cursor = connection.cursor(binary=True)
    cursor.adapters.register_loader("text", ByteaBinaryLoader)
    await cursor.execute(READ.format(schema=context), [after, limit, CHUNK_BYTES])
    rows = await cursor.fetchall()
    incarnation, head = rows[0][:2]
    return Chunk(context, UUID(incarnation.decode()), int(head), [] if rows[0][POSITION] is None else rows)
