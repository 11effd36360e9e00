"""Where a consumer stands in a context's log, kept in the same transaction as what it wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain.ids import SLICES
from domain.token import Seen
from projections.pool import Connection, Cursor


class Fenced(Exception):
    """Another worker has moved this checkpoint: nothing of the present batch was written."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Every slice is done up to `floor`, some further, as `slices` says, in this incarnation of the log."""

    incarnation: UUID
    floor: int = 0
    slices: Mapping[int, int] = field(default_factory=dict)

    def of(self, slice: int) -> int:
        """The position up to which this slice is done."""
        return max(self.floor, self.slices.get(slice, 0))

    @property
    def furthest(self) -> int:
        """The last position that is known to have existed."""
        return max(self.floor, *self.slices.values()) if self.slices else self.floor

    def covers(self, seen: Seen) -> bool:
        same = self.incarnation == seen.incarnation
        return same and all(self.of(slice) >= position for slice, position in seen.positions.items())


@dataclass(frozen=True, slots=True)
class Progress:
    """What a batch moves: the floor, slices, or both; with the log's head and when the last event was recorded."""

    floor: int
    slices: Mapping[int, int]
    head: int
    recorded_at: datetime | None


READ: Final = """
SELECT incarnation, floor, coalesce(
    (SELECT json_object_agg(slice, position) FROM projections.slice_checkpoints s
      WHERE (s.consumer, s.context) = (c.consumer, c.context)), '{}')
FROM projections.checkpoints c
WHERE (consumer, context) = (%s, %s)
"""

# Rows and checkpoint are lost together, if at all, and then made again from the log: no need to wait for the disk.
HOLD: Final = """
SELECT incarnation, floor, slices, parked, set_config('synchronous_commit', 'off', true)
FROM projections.hold(%s, %s, %s, %s::smallint[], %s::smallint[], %s::uuid[])
"""
HOLD_SLICE: Final = """
SELECT incarnation, floor, slices FROM projections.hold(%s, %s, false, %s::smallint[], %s::smallint[], '{}')
"""

MOVE_FLOOR: Final = """
UPDATE projections.checkpoints SET floor = %s, head = %s, recorded_at = coalesce(%s, recorded_at),
    status = 'RUNNING', reason = NULL, updated_at = clock_timestamp()
WHERE (consumer, context, incarnation, floor) = (%s, %s, %s, %s)
"""
MOVE_SLICES: Final = """
UPDATE projections.slice_checkpoints AS s
SET position = m.position, recorded_at = coalesce(%s, recorded_at)
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS m (slice, old, position)
WHERE (s.consumer, s.context, s.slice, s.position) = (%s, %s, m.slice, m.old)
"""

LIFT: Final = """
UPDATE projections.checkpoints AS c
SET floor = %(position)s, head = greatest(head, %(position)s), updated_at = clock_timestamp(),
    recorded_at = greatest(recorded_at, (SELECT max(recorded_at) FROM projections.slice_checkpoints s
                                          WHERE (s.consumer, s.context) = (c.consumer, c.context)))
WHERE (consumer, context, incarnation) = (%(consumer)s, %(context)s, %(incarnation)s) AND floor < %(position)s
    AND NOT EXISTS (
        SELECT FROM unnest(%(slices)s::smallint[], %(lasts)s::bigint[]) AS l (slice, last)
        LEFT JOIN projections.slice_checkpoints s
            ON (s.consumer, s.context, s.slice) = (c.consumer, c.context, l.slice)
        WHERE greatest(c.floor, s.position) < l.last
    )
"""


class Held(NamedTuple):
    """A checkpoint that nobody else moves until the transaction ends, and what was asked for is parked under it."""

    checkpoint: Checkpoint
    parked: Collection[UUID]


@dataclass(frozen=True, slots=True)
class Locking:
    """Answers on their way, to be looked at when the pipeline has been left."""

    _expected: Checkpoint
    _moves_floor: bool
    _slices: tuple[int, ...]
    _read: Cursor

    async def held(self) -> Held:
        """Raises Fenced when what is to be moved is no longer where it is expected.

        The floor of who moves only slices may have been lifted meanwhile: what is below it has been applied.
        """
        found = await self._read.fetchone()
        if found is None:
            raise Fenced
        incarnation, floor, slices, parked, _ = found
        held = restored(incarnation, floor, slices)
        if held.incarnation != self._expected.incarnation or not self._as_expected(held):
            raise Fenced
        return Held(held, parked)

    def _as_expected(self, held: Checkpoint) -> bool:
        floor, slices = self._expected.floor, self._expected.slices
        if held.floor != floor if self._moves_floor else held.floor < floor:
            return False
        return all(held.slices.get(slice, 0) == slices.get(slice, 0) for slice in self._slices)


@dataclass(frozen=True, slots=True)
class Moving:
    """The same for a move."""

    _moved: list[tuple[Cursor, int]]
    _to: Checkpoint

    def moved(self) -> Checkpoint:
        """Raises Fenced."""
        if any(cursor.rowcount != rows for cursor, rows in self._moved):
            raise Fenced
        return self._to


class Checkpoints:
    """The checkpoint of one consumer (`orders@1`) in one context.

    Who moves the floor locks the main row for itself; who moves slices shares it with others and locks those slices.
    """

    def __init__(self, consumer: str, context: str) -> None:
        self.consumer = consumer
        self.context = context
        self._key = (consumer, context)

    async def open(self, connection: Connection, incarnation: UUID) -> Checkpoint:
        """The checkpoint; a new consumer begins at the start of the log as it lives now."""
        await connection.execute(
            "INSERT INTO projections.checkpoints (consumer, context, incarnation) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [*self._key, incarnation],
        )
        found = await (await connection.execute(READ, self._key)).fetchone()
        assert found is not None
        return restored(*found)

    async def lock(
        self, connection: Connection, expected: Checkpoint, to: Progress, sequences: Collection[UUID] = ()
    ) -> Locking:
        """Asks for what is to be moved to be held until the transaction ends. For a pipeline: see `Locking.held`.

        Which of the `sequences` are parked is told as it is then, too.
        """
        moves_floor = to.floor != expected.floor
        missing = to.slices.keys() - expected.slices.keys()
        values = [moves_floor, list(missing), list(to.slices), list(sequences)]
        read = await connection.execute(HOLD, [*self._key, *values])
        return Locking(expected, moves_floor, tuple(to.slices), read)

    async def lock_slice(self, connection: Connection, slice: int) -> Checkpoint:
        """Holds one slice against every worker, to mend what is parked in it. Raises Fenced when nobody consumes."""
        cursor = await connection.execute(HOLD_SLICE, [*self._key, [slice], [slice]])
        found = await cursor.fetchone()
        if found is None:
            raise Fenced
        return restored(*found)

    async def lock_whole(self, connection: Connection) -> None:
        """Holds all of it against every worker, if there is such a consumer."""
        await connection.execute(HOLD, [*self._key, True, [], [], []])

    async def move(self, connection: Connection, old: Checkpoint, to: Progress) -> Moving:
        """Moves by compare-and-set. For a pipeline: see `Moving.moved`."""
        moved = []
        floor = max(to.floor, old.floor)  # lifted meanwhile, perhaps, under somebody who moves slices
        if floor != old.floor:
            values = [floor, to.head, to.recorded_at, *self._key, old.incarnation, old.floor]
            moved.append((await connection.execute(MOVE_FLOOR, values), 1))
        if to.slices:
            before = [old.slices.get(slice, 0) for slice in to.slices]
            arrays = [list(to.slices), before, list(to.slices.values())]
            cursor = await connection.execute(MOVE_SLICES, [to.recorded_at, *arrays, *self._key])
            moved.append((cursor, len(to.slices)))
        return Moving(moved, Checkpoint(old.incarnation, floor, {**old.slices, **to.slices}))

    async def lift_floor(
        self, connection: Connection, incarnation: UUID, position: int, lasts: Mapping[int, int] | None = None
    ) -> bool:
        """Raises the floor to `position` if every slice is done with what it has up to there; tells whether it did.

        `lasts`: of each slice its last position at or below `position` (0: it has none). Without them, every slice
        must have been moved to `position` itself. Workers that move slices are not disturbed.
        """
        lasts = dict.fromkeys(range(SLICES), position) if lasts is None else lasts
        values = {"consumer": self.consumer, "context": self.context, "incarnation": incarnation, "position": position}
        arrays = {"slices": list(lasts), "lasts": list(lasts.values())}
        return (await connection.execute(LIFT, values | arrays)).rowcount == 1

    async def report(self, connection: Connection, status: str, reason: str | None, head: int) -> None:
        """Tells operators how the consumer fares."""
        await connection.execute(
            "UPDATE projections.checkpoints SET status = %s, reason = %s, head = greatest(head, %s),"
            " updated_at = clock_timestamp() WHERE (consumer, context) = (%s, %s)",
            [status, reason, head, *self._key],
        )


def restored(incarnation: UUID, floor: int, slices: Mapping[str, int]) -> Checkpoint:
    """A checkpoint from its columns; JSON has the slices as texts."""
    return Checkpoint(incarnation, floor, {int(slice): position for slice, position in slices.items()})
