"""Trying again what consumers could not apply, or without the event that fails.

A retry reads the stream again from the event that failed, so that today's code and today's upcasters apply, and folds
it in order up to the consumer's checkpoint. It does so in stretches: each is one transaction that holds the slice
against the consumer, writes what it folds, and moves the parked row along; with the last one the row goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from projections.checkpoint import Checkpoint, Checkpoints
from projections.feed import Recorded
from projections.parked import Parked, shown
from projections.parking import Failure, Parking, event_columns, write
from projections.pool import Connection, Pool, connected
from projections.sink import Sink

STRETCH: Final = 1_000  # events in one transaction
DRY_RUN: Final = 10  # stretches that a dry run looks at

UPDATE: Final = """
UPDATE projections.parked SET slice = %s, position = %s, version = %s, event_id = %s, event_type = %s,
    recorded_at = %s, reason = %s, fingerprint = %s, waiting = waiting - %s, attempts = attempts + %s,
    tried_at = clock_timestamp()
WHERE id = %s
"""


class Streams(Protocol):
    """A context's log, one stream of it at a time."""

    async def head(self) -> tuple[UUID, int]: ...

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> Sequence[Recorded]: ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What a retry came to: events applied, and the row that is left if one failed again.

    `whole` is false only of a dry run that ended before the end of what waits.
    """

    applied: int
    left: Parked | None
    whole: bool = True


class NotParked(Exception):
    def __init__(self, id: UUID) -> None:
        super().__init__(f"nothing is parked under {id} any more")


class OtherEvent(Exception):
    """The sequence waits at another event than the one that was to be discarded."""

    def __init__(self, parked: Parked, event: UUID) -> None:
        super().__init__(f"{parked.id} waits at event {parked.event_id} now, and not at {event}")


class OtherLog(Exception):
    def __init__(self, parked: Parked) -> None:
        super().__init__(
            f"{parked.consumer} followed an earlier incarnation of the log of {parked.context}: it must be built anew"
        )


class Retries:
    """Tries what is parked again. `sink_of` gives the sink of a consumer's name, `streams` the logs by context."""

    def __init__(self, pool: Pool, sink_of: Callable[[str], Sink], streams: Mapping[str, Streams]) -> None:
        self._pool = pool
        self._sink_of = sink_of
        self._streams = streams

    async def retry(self, id: UUID) -> Tried:
        """Applies what waits, in order, up to the first event that fails again. Raises NotParked, OtherLog."""
        return await self._all(id, None)

    async def discard(self, id: UUID, event: UUID) -> Tried:
        """Leaves out this one event, for ever, and tries what waits behind it. Raises NotParked, OtherLog, OtherEvent.

        That the event is named makes it harmless to ask twice.
        """
        return await self._all(id, event)

    async def dry_run(self, id: UUID, *, discard: UUID | None = None) -> Tried:
        """What a retry, or a discard, would come to, at most `DRY_RUN` stretches far; nothing is written."""
        async with connected(self._pool) as connection, connection.transaction(force_rollback=True):
            tried = await self._stretch(connection, id, discard)
            applied = tried.applied
            for _ in range(DRY_RUN - 1):
                if tried.whole:
                    break
                tried = await self._stretch(connection, id, None)
                applied += tried.applied
            return Tried(applied, tried.left, tried.whole)

    async def waiting(self, id: UUID, limit: int = 100) -> Sequence[Recorded]:
        """The event that failed and those behind it. Raises NotParked."""
        async with connected(self._pool) as connection:
            parked = await self._one(connection, id)
        return await self._streams[parked.context].stream(parked.sequence, parked.version - 1, None, limit)

    async def _all(self, id: UUID, discard: UUID | None) -> Tried:
        applied = 0
        while True:
            async with connected(self._pool) as connection:
                tried = await self._stretch(connection, id, discard)
            applied, discard = applied + tried.applied, None
            if tried.whole:
                return Tried(applied, tried.left)

    async def _stretch(self, connection: Connection, id: UUID, discard: UUID | None) -> Tried:
        """One transaction's worth; not `whole` if there is more to be tried."""
        parked = await self._one(connection, id)
        held = await Checkpoints(parked.consumer, parked.context).lock_slice(connection, parked.slice)
        parked = await self._one(connection, id)  # as it is, now that the consumer cannot add to it
        if discard is not None and parked.event_id != discard:
            raise OtherEvent(parked, discard)
        events = await self._events(parked, held)
        skipped = 0 if discard is None else 1
        parking = Parking(parked.consumer, parked.context)
        await write(connection, self._sink_of(parked.consumer), events[skipped:STRETCH], parking)
        failed = next(iter(parking.failed), None)
        if failed is None and len(events) <= STRETCH:
            await connection.execute("DELETE FROM projections.parked WHERE id = %s", [id])
            return Tried(len(events) - skipped, None)
        at = failed or Failure(events[-1], "a retry was ended here: try again", "Unfinished")
        done = events.index(at.recorded)
        columns = event_columns(parked.consumer, at)
        await connection.execute(UPDATE, [*columns, done, 0 if failed is None else 1, id])
        return Tried(done - skipped, await self._one(connection, id), whole=failed is not None)

    async def _events(self, parked: Parked, held: Checkpoint) -> Sequence[Recorded]:
        """From the one that failed on, one more than a stretch. Raises OtherLog."""
        streams = self._streams[parked.context]
        incarnation, _ = await streams.head()
        if incarnation != held.incarnation:
            raise OtherLog(parked)
        return await streams.stream(parked.sequence, parked.version - 1, held.of(parked.slice), STRETCH + 1)

    async def _one(self, connection: Connection, id: UUID) -> Parked:
        found = await shown(connection, id)
        if found is None:
            raise NotParked(id)
        return found
