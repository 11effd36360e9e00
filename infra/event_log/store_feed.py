"""A context's log read straight from its table, as a consumer's feed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from infra.event_log.reader import LogReader
from infra.event_log.wakeups import Wakeups
from projections.checkpoint import Checkpoint
from projections.feed import Batch


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

    @property
    def context(self) -> str:
        return self._reader.context

    async def head(self) -> tuple[UUID, int]:
        return await self._reader.head()

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        """Raises what LogReader does."""
        if self._slices is not None:
            return await self._read_part(checkpoint, self._slices, limit)
        found = await self._reader.read(checkpoint.floor, limit, self._upto)
        return Batch(found.events, found.incarnation, found.head, found.upto)

    async def _read_part(self, checkpoint: Checkpoint, slices: list[int], limit: int) -> Batch:
        after = {slice: checkpoint.of(slice) for slice in slices}
        found = await self._reader.read_slices(after, limit, self._upto)
        moved = {slice: found.upto for slice in slices if found.upto > after[slice]}
        return Batch(found.events, found.incarnation, found.head, checkpoint.floor, moved)

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        done = checkpoint.floor if self._slices is None else min(map(checkpoint.of, self._slices))
        await self._wakeups.wait(self.context, done, timeout)
