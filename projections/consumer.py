"""The worker behind a read model: folds what a feed brings into rows and moves its checkpoint with them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from projections.checkpoint import Checkpoint, Checkpoints, Fenced, Progress
from projections.feed import Batch, Feed
from projections.folding import Folded, Plan, Rows, Stuck, fold, plan, told
from projections.model import Model
from projections.pool import Connection, Pool, connected
from projections.generations import schema_of

Moved = Callable[[str, str, Checkpoint], None]
"""Told of each new checkpoint: consumer, context, checkpoint."""

log = logging.getLogger(__name__)

BATCH: Final = 1_000  # events
FEW: Final = 2  # events; after a batch of more, what comes close together is gathered to be applied together
REST: Final = 0.05  # seconds of gathering at most, otherwise three times what the batch took
POLL: Final = 5.0  # seconds; a net under the feed's wake-ups
STANDBY: Final = 1.0  # seconds a worker stays away from a checkpoint that another one moves
BACK_OFF: Final = (0.1, 10.0)  # seconds, doubling from the first to the second


class Status(StrEnum):
    RUNNING = "RUNNING"
    STANDBY = "STANDBY"  # another worker does the work
    WAITING = "WAITING"  # the log or the read database is away
    STOPPED = "STOPPED"  # goes on only when somebody has mended what `reason` says


@dataclass(frozen=True, slots=True)
class Health:
    consumer: str
    context: str
    status: Status
    reason: str | None
    floor: int
    head: int

    @property
    def behind(self) -> int:
        """Events of the log that are not in the rows yet."""
        return max(0, self.head - self.floor)


class Stopped(Exception):
    """The consumer must not go on: an event cannot be applied, or the log is not the one it knows."""


class Consumer:
    """Feeds one generation of a model from one context. Any number of workers may run the same consumer.

    A worker whose checkpoint was moved by another is fenced: its batch fails as a whole and it stands by.
    """

    def __init__(
        self, model: Model, feed: Feed, pool: Pool, *, generation: int = 1, moved: Moved | None = None
    ) -> None:
        self.name = f"{model.name}@{generation}"
        self.health = Health(self.name, feed.context, Status.WAITING, None, 0, 0)
        self._model = model
        self._schema = schema_of(model.name, generation)
        self._feed = feed
        self._pool = pool
        self._checkpoints = Checkpoints(self.name, feed.context)
        self._moved = moved
        self._limit = BATCH
        self._pause = BACK_OFF[0]

    async def run(self) -> None:
        """Works until cancelled, which may be at any point; whatever happens is told by `health`."""
        while True:
            try:
                await self._follow()
            except Fenced:
                self._fares(Status.STANDBY, "another worker moves this checkpoint")
                await asyncio.sleep(STANDBY)
            except Exception as error:  # noqa: BLE001  # a worker ends only when it is told to
                await self._hold(error)

    async def step(self, checkpoint: Checkpoint) -> Checkpoint:
        """Applies the next batch, if there is one, and gives the checkpoint after it. Raises Fenced, Stopped."""
        batch = await self._feed.read(checkpoint.floor, self._limit)
        self._head_is(batch.head)
        known(self.name, checkpoint, batch)
        if batch.floor == checkpoint.floor:
            return checkpoint
        moved, stuck = await self._apply(checkpoint, batch)
        self._went_well(moved)
        if stuck is not None:
            raise Stopped(str(stuck))
        return moved

    async def open(self) -> Checkpoint:
        """The checkpoint to go on from."""
        batch = await self._feed.read(0, 0)
        async with connected(self._pool) as connection:
            checkpoint = await self._checkpoints.open(connection, batch.incarnation)
        self._announce(checkpoint)
        return checkpoint

    async def _follow(self) -> None:
        checkpoint = await self.open()
        while True:
            began, before = time.monotonic(), checkpoint
            checkpoint = await self.step(before)
            if before is checkpoint:
                self._fares(Status.RUNNING, None)
                await self._feed.wait(checkpoint.floor, POLL)
            elif checkpoint.floor - before.floor > FEW and not self.health.behind:
                await asyncio.sleep(min(3 * (time.monotonic() - began), REST))

    async def _apply(self, checkpoint: Checkpoint, batch: Batch) -> tuple[Checkpoint, Stuck | None]:
        """Writes the rows of a batch, up to an event that cannot be applied, with the checkpoint: all or nothing.

        Three round trips whatever the number of tables. Raises Fenced, and Stopped when the first event is one that
        cannot be applied.
        """
        planned = plan(self._model, batch.recorded)
        async with connected(self._pool) as connection:
            held, rows = await self._load(connection, checkpoint, planned)
            folded = fold(planned.beyond(held.of), rows)
            to = progress(batch, folded.stuck)
            if folded.stuck and to.floor <= held.floor:
                raise Stopped(str(folded.stuck))
            moved = await self._save(connection, held, folded, to)
        return moved, folded.stuck

    async def _load(self, connection: Connection, expected: Checkpoint, planned: Plan) -> tuple[Checkpoint, Rows]:
        """The checkpoint, held, and those of the planned rows that exist."""
        async with connection.pipeline():
            locking = await self._checkpoints.lock(connection, expected)
            selected = [
                (projector, await projector.table.select(connection, self._schema, ids))
                for projector, ids in planned.ids().items()
            ]
        held = await locking.held()
        return held, {projector: await projector.table.found(cursor) for projector, cursor in selected}

    async def _save(self, connection: Connection, held: Checkpoint, folded: Folded, to: Progress) -> Checkpoint:
        async with connection.pipeline():
            for projector, rows in folded.changed.items():
                await projector.table.save(connection, self._schema, list(rows.values()))
            moving = await self._checkpoints.move(connection, held, to)
        return moving.moved()

    async def _hold(self, error: Exception) -> None:
        """Waits before the next try. What neither the log nor the database being away explains is tried one by one."""
        away = isinstance(error, psycopg.OperationalError | PoolTimeout | OSError | TimeoutError)
        self._fares(
            Status.WAITING if away else Status.STOPPED, str(error) if isinstance(error, Stopped) else told(error)
        )
        if not away:
            self._limit = 1
            await self._report()
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, BACK_OFF[1])

    async def _report(self) -> None:
        try:
            async with connected(self._pool) as connection:
                await self._checkpoints.report(
                    connection, self.health.status, self.health.reason or "", self.health.head
                )
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.warning("%s: status not written: %s", self.name, error)

    def _went_well(self, moved: Checkpoint) -> None:
        self._limit = min(2 * self._limit, BATCH)
        self._pause = BACK_OFF[0]
        self._fares(Status.RUNNING, None)
        self._announce(moved)

    def _announce(self, checkpoint: Checkpoint) -> None:
        self.health = replace(self.health, floor=checkpoint.floor)
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
            " after a restore or an import the read model must be rebuilt"
        )
    if batch.head < checkpoint.floor:
        raise Stopped(f"the log ends at {batch.head}, {consumer} has seen {checkpoint.floor}: it was cut or restored")


def progress(batch: Batch, stuck: Stuck | None) -> Progress:
    """How far the floor moves: to the batch's, or to just before the event that could not be applied."""
    floor = batch.floor if stuck is None else stuck.recorded.position - 1
    done = [recorded for recorded in batch.recorded if recorded.position <= floor]
    return Progress(floor, max(batch.head, floor), done[-1].recorded_at if done else None)
