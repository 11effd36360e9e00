"""A context's log read straight from its table, as a consumer's feed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from uuid import UUID

from infra.event_log.reader import LogReader, Stretch
from infra.event_log.wakeups import Wakeups
from projections.checkpoint import Checkpoint
from projections.feed import Batch, Recorded


class StoreFeed:
    """Moves the floor: since positions have no gaps and never appear late, that is all it takes.

    With `slices` it is a part of the log for one of several workers, and moves those slices, all to where it has read;
    with `upto` it ends at that position.
    """

    def __init__(
        self, reader: LogReader, wakeups: Wakeups, slices: Iterable[int] | None = None, *, upto: int | None = None
    ) -> None:
        self._reader = reader
        self._wakeups = wakeups
        self._slices = None if slices is None else sorted(slices)
        self._upto = upto
        self._asked: dict[tuple[int, int], asyncio.Task[Stretch[Recorded]]] = {}

    @property
    def context(self) -> str:
        return self._reader.context

    async def head(self) -> tuple[UUID, int]:
        return await self._reader.head()

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        """Raises what LogReader does."""
        if self._slices is not None:
            return await self._read_part(checkpoint, self._slices, limit)
        found = await self._together(checkpoint.floor, limit)
        return Batch(found.events, found.incarnation, found.head, found.upto)

    async def _together(self, after: int, limit: int) -> Stretch[Recorded]:
        """All consumers of a process are woken by the same append, and most stand at the same place."""
        place = after, limit
        if place not in self._asked:
            self._asked[place] = asyncio.create_task(self._read_once(place))
            self._asked[place].add_done_callback(taken_note_of)
        return await asyncio.shield(self._asked[place])

    async def _read_once(self, place: tuple[int, int]) -> Stretch[Recorded]:
        await asyncio.sleep(0)  # who asks in the same turn of the loop is answered as well, nobody who asks later
        del self._asked[place]
        after, limit = place
        return await self._reader.read(after, limit, self._upto)

    async def _read_part(self, checkpoint: Checkpoint, slices: list[int], limit: int) -> Batch:
        after = {slice: checkpoint.of(slice) for slice in slices}
        found = await self._reader.read_slices(after, limit, self._upto)
        moved = {slice: found.upto for slice in slices if found.upto > after[slice]}
        return Batch(found.events, found.incarnation, found.head, checkpoint.floor, moved)

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        done = checkpoint.floor if self._slices is None else min(map(checkpoint.of, self._slices))
        await self._wakeups.wait(self.context, done, timeout)


def taken_note_of(task: asyncio.Task[Stretch[Recorded]]) -> None:
    """Or asyncio complains of a failure when all who asked have been cancelled meanwhile."""
    if not task.cancelled():
        task.exception()
