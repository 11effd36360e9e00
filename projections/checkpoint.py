"""Where a consumer stands in a context's log, kept in the same transaction as what it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

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

    def covers(self, seen: Seen) -> bool:
        same = self.incarnation == seen.incarnation
        return same and all(self.of(slice) >= position for slice, position in seen.positions.items())


@dataclass(frozen=True, slots=True)
class Progress:
    """What a batch moves: the floor, with the log's head and the time the last event was recorded at, if known."""

    floor: int
    head: int
    recorded_at: datetime | None


READ: Final = """
SELECT incarnation, floor, coalesce(
    (SELECT json_object_agg(slice, position) FROM projections.slice_checkpoints s
      WHERE (s.consumer, s.context) = (c.consumer, c.context)), '{}')
FROM projections.checkpoints c
WHERE (consumer, context) = (%s, %s)
"""


LOCK: Final = """
SELECT set_config('synchronous_commit', 'off', true)
FROM projections.checkpoints WHERE (consumer, context, incarnation, floor) = (%s, %s, %s, %s) FOR UPDATE
"""

MOVE: Final = """
UPDATE projections.checkpoints SET floor = %s, head = %s, recorded_at = coalesce(%s, recorded_at),
    status = 'RUNNING', reason = NULL, updated_at = clock_timestamp()
WHERE (consumer, context, incarnation, floor) = (%s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Locking:
    """Answers on their way, to be looked at when the pipeline has been left."""

    _locked: Cursor
    _read: Cursor

    async def held(self) -> Checkpoint:
        """Raises Fenced when the checkpoint is no longer at the expected floor."""
        if await self._locked.fetchone() is None:
            raise Fenced
        found = await self._read.fetchone()
        assert found is not None
        return restored(*found)


@dataclass(frozen=True, slots=True)
class Moving:
    """The same for a move."""

    _cursor: Cursor
    _to: Checkpoint

    def moved(self) -> Checkpoint:
        """Raises Fenced."""
        if self._cursor.rowcount != 1:
            raise Fenced
        return self._to


class Checkpoints:
    """The checkpoint of one consumer (`orders@1`) in one context."""

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

    async def lock(self, connection: Connection, expected: Checkpoint) -> Locking:
        """Asks for the checkpoint to be held until the transaction ends. Meant for a pipeline: see `Locking.held`.

        Rows and checkpoint are lost together, if at all, and then made again from the log: so the transaction need
        not wait for the disk. The slices are read in a statement of their own, to be seen as they are once it is held.
        """
        locked = await connection.execute(LOCK, [*self._key, expected.incarnation, expected.floor])
        return Locking(locked, await connection.execute(READ, self._key))

    async def move(self, connection: Connection, old: Checkpoint, to: Progress) -> Moving:
        """Moves the floor by compare-and-set. Meant for a pipeline: see `Moving.moved`."""
        values = [to.floor, to.head, to.recorded_at, *self._key, old.incarnation, old.floor]
        return Moving(await connection.execute(MOVE, values), Checkpoint(old.incarnation, to.floor, old.slices))

    async def report(self, connection: Connection, status: str, reason: str, head: int) -> None:
        """Tells operators how the consumer fares."""
        await connection.execute(
            "UPDATE projections.checkpoints SET status = %s, reason = %s, head = greatest(head, %s),"
            " updated_at = clock_timestamp() WHERE (consumer, context) = (%s, %s)",
            [status, reason, head, *self._key],
        )


def restored(incarnation: UUID, floor: int, slices: Mapping[str, int]) -> Checkpoint:
    """A checkpoint from its columns; JSON has the slices as texts."""
    return Checkpoint(incarnation, floor, {int(slice): position for slice, position in slices.items()})
