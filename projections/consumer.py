"""The worker behind a read model and the like: gives a sink what a feed brings and moves its checkpoint with it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import psycopg
from psycopg.errors import UndefinedTable
from psycopg_pool import PoolTimeout

from domain.ids import SLICES
from projections.checkpoint import Checkpoint, Checkpoints, Fenced, Progress
from projections.feed import Batch, Feed, Recorded
from projections.folding import told
from projections.parking import REFUSED, Failure, Parking, sequences, write
from projections.pool import Pool, connected
from projections.sink import Sink

Moved = Callable[[str, str, Checkpoint], None]
"""Told of each new checkpoint: consumer, context, checkpoint."""

log = logging.getLogger(__name__)

BATCH: Final = 2_000  # events
FEW: Final = 2  # aggregates; after a batch of more, what comes close together is gathered to be applied together
LONG: Final = 10  # events; the same: one command writes fewer
REST: Final = 0.05  # seconds of gathering at most, otherwise three times what the batch took
POLL: Final = 5.0  # seconds; a net under the feed's wake-ups
STANDBY: Final = 1.0  # seconds a worker stays away from a checkpoint that another one moves
HANDED_OVER: Final = 0.1  # seconds, when it moves slices: who does which has just been settled anew
BATCH_LIFE: Final = 30.0
"""Seconds after which what was read is not written any more but read again: a key may be gone that it was opened with.

Whoever clears an erased user's rows counts on it. It is looked at with the checkpoint held, which whoever clears rows
waits for.
"""
TOLD: Final = 5  # of a batch, what is parked is logged one by one; the rest is counted
BACK_OFF: Final = (0.1, 10.0)  # seconds, doubling from the first to the second
AWAY: Final = psycopg.OperationalError | PoolTimeout | OSError | TimeoutError


class Status(StrEnum):
    RUNNING = "RUNNING"
    STANDBY = "STANDBY"  # another worker does the work
    WAITING = "WAITING"  # for the log or the read database, or whatever else `reason` says: tries again
    STOPPED = "STOPPED"  # goes on only when somebody has mended what `reason` says


@dataclass(frozen=True, slots=True)
class Health:
    consumer: str
    context: str
    status: Status
    reason: str | None
    floor: int
    head: int
    done: int = 0  # the last position applied; without the floor's certainty that all below it is

    @property
    def behind(self) -> int:
        """Events of the log that are not in the rows yet; of a consumer of slices those of its slices, at most."""
        return max(0, self.head - self.done)


class Stopped(Exception):
    """The consumer must not go on before somebody has done something: the log is not the one it knows."""


class Outdated(TimeoutError):
    def __init__(self) -> None:
        super().__init__(f"what was read could not be written within {BATCH_LIFE:g} s and is read again")


class Consumer:
    """Keeps one sink up to one context. Any number of workers may run the same consumer.

    A worker whose checkpoint was moved by another is fenced: its batch fails as a whole and it stands by. An event that
    cannot be applied is parked with all that follows it in its aggregate; the others flow on.
    """

    def __init__(
        self,
        sink: Sink,
        feed: Feed,
        pool: Pool,
        *,
        moved: Moved | None = None,
        limit: int = BATCH,
    ) -> None:
        self.name = sink.name
        self.health = Health(self.name, feed.context, Status.WAITING, None, 0, 0)
        self._sink = sink
        self._feed = feed
        self._pool = pool
        self._checkpoints = Checkpoints(self.name, feed.context)
        self._moved = moved
        self._most = self._limit = limit
        self._moves_slices = False
        self._crowded = False
        self._pause = BACK_OFF[0]
        self._complained = False
        self._misses = 0  # tables that were not there, one after another

    async def run(self) -> None:
        """Works until cancelled, which may be at any point; whatever happens is told by `health`."""
        while True:
            try:
                await self._follow()
            except Fenced:
                self._fares(Status.STANDBY, "another worker moves this checkpoint")
                await asyncio.sleep(HANDED_OVER if self._moves_slices else STANDBY)
            except UndefinedTable as error:
                await self._missing(error)
            except Exception as error:  # noqa: BLE001  # a worker ends only when it is told to
                await self._hold(error)

    async def step(self, checkpoint: Checkpoint) -> Checkpoint:
        """Applies the next batch, if there is one, and gives the checkpoint after it. Raises Fenced, Stopped."""
        until = time.monotonic() + BATCH_LIFE
        batch = await self._feed.read(checkpoint, self._limit)
        self._head_is(batch.head)
        known(self.name, checkpoint, batch)
        if batch.floor == checkpoint.floor and not batch.slices:
            return checkpoint
        self._moves_slices = bool(batch.slices)
        self._crowded = crowded(batch)
        try:
            moved = await self._applied(checkpoint, batch, until)
        except Outdated:
            self._limit = max(1, len(batch.recorded) // 2)  # or it would be too late for ever
            raise
        self._went_well(moved)
        return moved

    async def _applied(self, checkpoint: Checkpoint, batch: Batch, until: float) -> Checkpoint:
        with suppress(*REFUSED):
            return await self._apply(checkpoint, batch, until, narrowly=False)
        # Not in an except block: what the database refused quotes a row, and would go to the log with the next error.
        return await self._apply(checkpoint, batch, until, narrowly=True)

    async def open(self) -> Checkpoint:
        """The checkpoint to go on from."""
        incarnation, _ = await self._feed.head()
        async with connected(self._pool) as connection:
            checkpoint = await self._checkpoints.open(connection, incarnation)
        self._announce(checkpoint)
        return checkpoint

    async def _follow(self) -> None:
        checkpoint = await self.open()
        while True:
            began, before = time.monotonic(), checkpoint
            checkpoint = await self.step(before)
            self._fares(Status.RUNNING, None)
            if self._complained:
                await self._report()
            if before is checkpoint:
                await self._feed.wait(checkpoint, POLL)
            elif self._crowded and not self.health.behind:
                await asyncio.sleep(min(3 * (time.monotonic() - began), REST))

    async def _apply(self, checkpoint: Checkpoint, batch: Batch, until: float, *, narrowly: bool) -> Checkpoint:
        """Writes a batch, what of it is parked, and the checkpoint: all or nothing. Raises Fenced, Outdated.

        Three round trips whatever the number of tables; `narrowly`, when the database has refused the batch, as many as
        it takes to find the events it refuses.
        """
        to = progress(batch)
        async with connected(self._pool) as connection:
            writing = self._sink.begin([] if narrowly else batch.recorded)
            async with connection.pipeline():
                locking = await self._checkpoints.lock(connection, checkpoint, to, sequences(batch.recorded))
                await writing.load(connection)
            held, parked = await locking.held()
            if time.monotonic() > until:
                raise Outdated
            parking = Parking(self.name, self._feed.context, parked)
            fresh = beyond(held, batch.recorded)
            if narrowly:
                await write(connection, self._sink, fresh, parking)
            else:
                await writing.loaded()
                parking.fold(writing, fresh)
            async with connection.pipeline():
                await writing.save(connection)
                await parking.save(connection)
                moving = await self._checkpoints.move(connection, held, to)
            moved = moving.moved()
        self._tell([*parking.failed])
        return moved

    def _tell(self, parked: list[Failure]) -> None:
        for failed in parked[:TOLD]:
            log.error("%s parked %s: %s", self.name, failed.recorded.event.originator_id, failed.reason)
        if len(parked) > TOLD:
            log.error("%s parked %d more: chobo parked list --groups", self.name, len(parked) - TOLD)

    async def _hold(self, error: Exception) -> None:
        """Waits before the next try, and says what for."""
        status = Status.STOPPED if isinstance(error, Stopped | psycopg.ProgrammingError) else Status.WAITING
        if not isinstance(error, AWAY | Stopped):
            quotes_a_row = isinstance(error, psycopg.Error)
            log.error("%s cannot go on: %s", self.name, told(error), exc_info=None if quotes_a_row else error)
        self._fares(status, str(error) if isinstance(error, Stopped) else told(error))
        await self._report()
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, BACK_OFF[1])

    async def _missing(self, error: UndefinedTable) -> None:
        """Of a generation that has just been dropped nothing is said: its worker is told to end within a second."""
        if self._misses:
            await self._hold(error)
        else:
            await asyncio.sleep(2 * STANDBY)
        self._misses += 1

    async def _report(self) -> None:
        try:
            async with connected(self._pool) as connection:
                await self._checkpoints.report(connection, self.health.status, self.health.reason, self.health.head)
            self._complained = self.health.reason is not None
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.warning("%s: status not written: %s", self.name, error)

    def _went_well(self, moved: Checkpoint) -> None:
        self._limit = min(2 * self._limit, self._most)
        self._pause, self._misses = BACK_OFF[0], 0
        self._announce(moved)

    def _announce(self, checkpoint: Checkpoint) -> None:
        self.health = replace(self.health, floor=checkpoint.floor, done=checkpoint.furthest)
        if self._moved is not None:
            self._moved(self.name, self._feed.context, checkpoint)

    def _head_is(self, head: int) -> None:
        if head != self.health.head:
            self.health = replace(self.health, head=head)

    def _fares(self, status: Status, reason: str | None) -> None:
        if (status, reason) == (self.health.status, self.health.reason):
            return
        self.health = replace(self.health, status=status, reason=reason)
        log.log(
            logging.INFO if reason is None else logging.WARNING, "%s is %s: %s", self.name, status, reason or "well"
        )


def known(consumer: str, checkpoint: Checkpoint, batch: Batch) -> None:
    """Raises Stopped unless the log is the one the checkpoint belongs to."""
    if batch.incarnation != checkpoint.incarnation:
        raise Stopped(
            f"the log is in incarnation {batch.incarnation}, {consumer} followed {checkpoint.incarnation}:"
            " what it wrote may not be in this log any more. A read model is built anew by: chobo replay start MODEL"
        )
    if batch.head < checkpoint.furthest:
        raise Stopped(
            f"the log ends at {batch.head}, {consumer} has seen {checkpoint.furthest}: it is another log, or an older"
            " copy. Set the address of the right one, or, if it was restored: chobo log new-incarnation"
        )


def crowded(batch: Batch) -> bool:
    """Whether many write at the moment. What one command writes, several events or two aggregates, is no crowd."""
    recorded = batch.recorded
    return len(recorded) > LONG or len({each.event.originator_id for each in recorded}) > FEW


def progress(batch: Batch) -> Progress:
    last = max(batch.recorded, key=lambda recorded: recorded.position, default=None)
    head = max(batch.head, batch.floor)
    return Progress(batch.floor, batch.slices, head, last.recorded_at if last else None)


def beyond(held: Checkpoint, batch: Iterable[Recorded]) -> list[Recorded]:
    """What has not been applied yet."""
    done = [held.of(slice) for slice in range(SLICES)]
    return [recorded for recorded in batch if recorded.position > done[recorded.slice]]
