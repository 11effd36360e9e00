"""Reads one context's log from its table: stretches of it, parts of it, one stream; decoded or as stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from domain.event import Event
from domain.ids import SLICES, slice_of
from infra.event_log.log import KeyStore, Pool
from infra.event_log.mapper import EventMapper, owner_of
from infra.keys import KeyNotLoaded, UnknownKey
from projections.checkpoint import Checkpoint
from projections.feed import Recorded, Unreadable
from projections.folding import told
from projections.lag import Behind
from projections.pool import connected

COLUMNS: Final = """e.notification_id, e.originator_id, e.originator_version, e.topic, e.state, e.event_id,
        e.recorded_at, coalesce(e.correlation_id, '') AS correlation_id, e.causation_id,
        coalesce(e.actor, '') AS actor, e.traceparent"""

# One statement, hence one snapshot: head and incarnation belong to these very events.
HEAD: Final = """
SELECT i.id, h.head
FROM (SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1) AS i
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM {schema}.stored_events) AS h"""

# The incarnation as text: there is one for each event, of which one is made a UUID.
STRETCH: Final = """
SELECT s.id::text, s.head, e.* FROM ({head}) AS s
LEFT JOIN LATERAL (
    SELECT {columns}
    FROM {schema}.stored_events e WHERE {wanted} ORDER BY e.notification_id LIMIT %(limit)s
) AS e ON true
ORDER BY e.notification_id
"""

ALL: Final = "e.notification_id > %(after)s AND e.notification_id <= %(upto)s"
SLICED: Final = ALL + " AND e.notification_id > (%(slices)s::bigint[])[1 + {schema}.chobo_slice(e.originator_id)]"

# Of what may be missing the first so many are looked at one by one.
MISSING: Final = """
SELECT e.slice, count(*), min(e.recorded_at)
FROM (
    SELECT notification_id, recorded_at, {schema}.chobo_slice(originator_id) AS slice
    FROM {schema}.stored_events WHERE notification_id > %(after)s ORDER BY notification_id LIMIT %(limit)s
) AS e
WHERE e.notification_id > (%(slices)s::bigint[])[1 + e.slice]
GROUP BY e.slice
"""

STREAM: Final = """
SELECT {columns} FROM {schema}.stored_events e
WHERE e.originator_id = %(id)s AND e.originator_version > %(after)s AND e.notification_id <= %(upto)s
ORDER BY e.originator_version LIMIT %(limit)s
"""

# Halves what may hold it until one position is left: each half is a look by position, all in one statement.
POSITION_AT: Final = """
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, h.head FROM ({head}) AS h
  UNION ALL
    SELECT CASE WHEN e.recorded_at <= %(at)s THEN m.middle ELSE s.low END,
        CASE WHEN e.recorded_at <= %(at)s THEN s.high ELSE m.middle - 1 END
    FROM search s CROSS JOIN LATERAL (SELECT (s.low + s.high + 1) / 2 AS middle) AS m
    JOIN {schema}.stored_events e ON e.notification_id = m.middle
    WHERE s.low < s.high
)
SELECT low FROM search WHERE low >= high
"""

T = TypeVar("T")

MOST_COUNTED: Final = 10_000
"""Events counted one by one when it is asked how many are missing."""

END: Final = 2**63 - 1
"""Beyond every position."""


class Stored(NamedTuple):
    """An event as its row has it: `state` is neither opened nor upcast."""

    position: int
    originator_id: UUID
    version: int
    topic: str
    state: bytes
    event_id: UUID
    recorded_at: datetime
    correlation_id: str
    causation_id: UUID | None
    actor: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Stretch(Generic[T]):
    """Events in order of position, with the log's incarnation and head in the same snapshot.

    `upto`: whatever was asked for and lies at or below it is in here.
    """

    events: Sequence[T]
    incarnation: UUID
    head: int
    upto: int


class LogReader:
    """Since positions have no gaps and never appear late, "above a position" loses nothing.

    All of it raises psycopg.Error or PoolTimeout when the database is away; what decodes also WrongMasterKey.
    """

    def __init__(self, pool: Pool, context: str, keys: KeyStore) -> None:
        self.context = context
        self._pool = pool
        self._decoder = Decoder(keys)
        head = HEAD.format(schema=context)
        self._head = head
        self._all = STRETCH.format(head=head, schema=context, columns=COLUMNS, wanted=ALL)
        self._sliced = STRETCH.format(head=head, schema=context, columns=COLUMNS, wanted=SLICED.format(schema=context))
        self._missing = MISSING.format(schema=context)
        self._position_at = POSITION_AT.format(head=head, schema=context)
        self._stream = STREAM.format(schema=context, columns=COLUMNS)

    async def head(self) -> tuple[UUID, int]:
        """The log's incarnation and its last position."""
        (found,) = await self._fetch(self._head, {})
        return found[0], found[1]

    async def behind(self, checkpoint: Checkpoint, limit: int = MOST_COUNTED) -> Behind:
        """What is above the checkpoint; beyond `limit` events every slice is taken to be equally far."""
        _, head = await self.head()
        done = [checkpoint.of(slice) for slice in range(SLICES)]
        if min(done) >= head:
            return Behind(0)
        values = {"after": min(done), "slices": done, "limit": limit}
        found = await self._fetch(self._missing, values)
        looked_at = min(head, min(done) + limit)  # positions have no gaps
        return Behind(
            sum(count for _, count, _ in found) + head - looked_at,
            min((since for _, _, since in found), default=None),
            {slice: count for slice, count, _ in found},
        )

    async def position_at(self, at: datetime) -> int:
        """The last position recorded at or before a time, 0 if there is none. Positions are in order of time.

        Where the clock has jumped back, it is one of the positions that were the last by then.
        """
        (found,) = await self._fetch(self._position_at, {"at": at})
        return int(found[0])

    async def read(self, after: int, limit: int, upto: int | None = None) -> Stretch[Recorded]:
        """The next `limit` events after a position."""
        return await self._decoded(await self.read_raw(after, limit, upto))

    async def read_raw(self, after: int, limit: int, upto: int | None = None) -> Stretch[Stored]:
        rows = await self._fetch(self._all, {"after": after, "upto": END if upto is None else upto, "limit": limit})
        return stretch(rows, after, limit, upto)

    async def read_slices(self, after: Mapping[int, int], limit: int, upto: int | None = None) -> Stretch[Recorded]:
        """The next `limit` events of these slices, each after a position of its own; none beyond `upto`."""
        return await self._decoded(await self.read_slices_raw(after, limit, upto))

    async def read_slices_raw(self, after: Mapping[int, int], limit: int, upto: int | None = None) -> Stretch[Stored]:
        least = min(after.values())
        values = {"after": least, "upto": END if upto is None else upto, "limit": limit}
        rows = await self._fetch(self._sliced, values | {"slices": [after.get(n, END) for n in range(SLICES)]})
        return stretch(rows, least, limit, upto)

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]:
        """The events of one aggregate in order; with a limit the first so many."""
        return await self._decoder.decoded(await self.stream_raw(id, after_version, upto_position, limit))

    async def stream_raw(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Stored]:
        upto = END if upto_position is None else upto_position
        values = {"id": id, "after": after_version, "upto": upto, "limit": limit}
        return [Stored._make(row) for row in await self._fetch(self._stream, values)]

    async def decoded(self, stored: Sequence[Stored]) -> list[Recorded]:
        """What was read raw, here or from a topic: one that this release cannot read as Unreadable."""
        return await self._decoder.decoded(stored)

    async def _decoded(self, raw: Stretch[Stored]) -> Stretch[Recorded]:
        return Stretch(await self._decoder.decoded(raw.events), raw.incarnation, raw.head, raw.upto)

    async def _fetch(self, query: str, values: Mapping[str, Any]) -> list[Any]:
        async with connected(self._pool) as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(query, values)
            return await cursor.fetchall()


def stretch(rows: Sequence[Sequence[Any]], after: int, limit: int, upto: int | None) -> Stretch[Stored]:
    """What STRETCH answered: at least one row, which has no event if there is none."""
    incarnation, head = rows[0][:2]
    events = [Stored._make(row[2:]) for row in rows if row[2] is not None]
    whole = head if upto is None else min(head, upto)
    if len(events) == limit:
        whole = events[-1].position if events else after
    return Stretch(events, UUID(incarnation), head, max(whole, after))


class Decoder:
    """Stored events into recorded ones, with the personal keys fetched for all of them at once."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._mapper = EventMapper(keys)

    async def decoded(self, stored: Sequence[Stored]) -> list[Recorded]:
        """Raises psycopg.Error, PoolTimeout, WrongMasterKey. An event that cannot be read comes as Unreadable."""
        unknown = await self._fetched({owner for event in stored if (owner := possible_owner(event.state))})
        return [self._recorded(event, unknown) for event in stored]

    async def _fetched(self, owners: set[UUID]) -> frozenset[UUID]:
        """Brings the keys to hand; gives the owners who never had one."""
        try:
            await self._keys.prefetch(owners)
        except UnknownKey as error:
            await self._keys.prefetch(owners - error.owners)
            return error.owners
        return frozenset()

    def _recorded(self, e: Stored, unknown: frozenset[UUID]) -> Recorded:
        return Recorded(
            self._event(e, unknown),
            e.position,
            slice_of(e.originator_id),
            e.event_id,
            e.recorded_at,
            e.correlation_id,
            e.causation_id,
            e.actor,
            e.traceparent,
        )

    def _event(self, e: Stored, unknown: frozenset[UUID]) -> Event:
        try:
            return self._mapper.decode(e.originator_id, e.version, e.topic, e.state)
        except KeyNotLoaded as error:
            if error.owner not in unknown:
                raise  # it was prefetched a moment ago: the caller reads again
            return unreadable(e, UnknownKey([error.owner]))
        except Exception as error:  # noqa: BLE001  # its keys are at hand: whatever it is, it is this event's
            return unreadable(e, error)


def unreadable(e: Stored, error: Exception) -> Unreadable:
    return Unreadable(
        originator_id=e.originator_id,
        originator_version=e.version,
        timestamp=e.recorded_at,
        topic=e.topic,
        reason=told(error),
    )


def possible_owner(state: bytes) -> UUID | None:
    """Whose key the state needs, as far as it can be read at all."""
    try:
        return owner_of(state)
    except (ValueError, TypeError, AttributeError):
        return None
