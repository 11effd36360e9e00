"""The worker behind the to-do table: takes what is due, does it, records what came of it, closes the row.

    leased -> is the outcome in the log already? -> done under the row's id -> outcome recorded by a command -> closed

A worker may die between any two of these. Its lease runs out, another one takes the row, finds the outcome or does the
work again under the same id. Nobody works longer than the lease holds, so no two work on a row at once; whoever lost a
lease all the same cannot close the row any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any, Final, Protocol, TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from domain.event import JSON
from projections import todo
from projections.alarm import Alarm
from projections.closing import Closing
from projections.folding import told
from projections.pool import Connection, Pool, connected
from projections.retry import RetryPolicy
from projections.todo import POLL, Ended, Room, Work

AT_ONCE: Final = 16
LEASE: Final = 30.0  # seconds
MARGIN: Final = 0.1  # of a lease: so much earlier than the database thinks does a worker believe that it has ended
SOON: Final = 0.02  # seconds; what is due but locked by somebody is not looked for without pause
GRACE: Final = 10.0  # seconds for what is under way when the worker is told to end
BACK_OFF: Final = (0.2, 5.0)  # seconds, doubling from the first to the second
PRUNING: Final = 3600.0  # seconds between clean-ups of what was closed long ago

T = TypeVar("T")

AWAY: Final = (psycopg.Error, PoolTimeout, OSError, TimeoutError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """It is done. `result` holds ids and numbers, nothing about a person."""

    result: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """It never will be: it was refused, or trying came to its end (`gave_up`)."""

    error: str
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """So far so good: the next part, with this data, is due in so many seconds."""

    seconds: float
    data: JSON = field(default_factory=dict)


Outcome = Done | Failed


class Act(Protocol):
    """What is done for one kind of row. All three may be called again, at any time, by any worker.

    They may be cancelled while they wait; what they raise is tried again under the kind's policy.
    """

    async def known(self, work: Work) -> Outcome | Later | None:
        """The outcome as the log has it, None while it has none; or that it must not be done now."""
        ...

    async def do(self, work: Work) -> Outcome | Later:
        """Does it. No transaction of ours is open; `work.id` is the idempotency key."""
        ...

    async def record(self, work: Work, outcome: Outcome) -> None:
        """Records the outcome by a command, under a key made from `work.id`. The first outcome recorded stays."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """`at_once`: of a kind that may hang, a worker does no more at a time, so that it keeps room for the others."""

    name: str
    retry: RetryPolicy
    act: Act
    at_once: int | None = None


class Status(StrEnum):
    RUNNING = "RUNNING"
    WAITING = "WAITING"  # the database is away


@dataclass(frozen=True, slots=True)
class Health:
    """Of this worker; `todo.figures` tells of the rows."""

    worker: str
    status: Status
    reason: str | None
    under_way: int


@dataclass(slots=True)
class _Held:
    """A row under way. `until` is when the worker stops believing in its lease, in the loop's time."""

    work: Work
    until: float
    limit: asyncio.Timeout | None = None
    lost: bool = False
    ends: bool = False  # what came of it is being written: that says as well whether the row is still ours
    closed: bool = False

    def extend(self, until: float) -> None:
        self.until = until
        if self.limit is not None and not self.limit.expired():
            self.limit.reschedule(until)


class Worker:
    """Does rows of the kinds it knows, at most `at_once` at a time. Any number of workers may share the table."""

    def __init__(
        self,
        pool: Pool,
        alarm: Alarm,
        kinds: Iterable[Kind],
        *,
        name: str = "",
        at_once: int = AT_ONCE,
        lease: float = LEASE,
        grace: float = GRACE,
        dice: Random | None = None,
    ) -> None:
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.health = Health(self.name, Status.WAITING, None, 0)
        self._pool = pool
        self._alarm = alarm
        self._kinds = {kind.name: kind for kind in kinds}
        self._at_once = at_once
        self._lease = lease
        self._grace = grace
        self._dice = dice or Random()  # noqa: S311  # only spreads retries
        self._held: dict[asyncio.Task[None], _Held] = {}
        self._at_rest: frozenset[str] = frozenset()  # kinds of which none that is due is known to wait for room
        self._closing = Closing(self._on_the_table)

    async def run(self) -> None:
        """Works until cancelled; then what is under way may end, within `grace`, and the rest is given back."""
        loops = (self._alarm.run(), self._keep_renewing(), self._keep_pruning())
        beside = [asyncio.create_task(each) for each in loops]
        try:
            await self._keep_taking()
        finally:
            await self._let_go()
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

    # -- taking

    async def _keep_taking(self) -> None:
        pause = BACK_OFF[0]
        while True:
            try:
                wait = await self._take()
            except Exception as error:  # noqa: BLE001  # a worker ends only when it is told to
                self._fares(Status.WAITING, told(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, BACK_OFF[1])
                continue
            pause = BACK_OFF[0]
            self._fares(Status.RUNNING, None)
            await self._alarm.wait(wait)

    async def _take(self) -> float:
        """Begins what is due, as far as there is room. How long to wait at most before looking again, in seconds."""
        self._at_rest = frozenset()  # whoever ends meanwhile rings: it may be room for what is left
        rooms = self._rooms()
        if not rooms:
            return POLL
        believed = self._believed()
        taken, due, at_rest = await self._on_the_table(partial(self._leased, rooms=rooms))
        for work in taken:
            self._begin(_Held(work, believed))
        self._at_rest = at_rest
        return POLL if due is None else min(max(due, SOON), POLL)

    def _rooms(self) -> list[Room]:
        """Which kinds may be taken, and how many of them; those with a bound of their own each for itself."""
        under_way = Counter(held.work.kind for held in self._held.values())
        left = {kind.name: kind.at_once - under_way[kind.name] for kind in self._kinds.values() if kind.at_once}
        unbounded = [name for name in self._kinds if name not in left]
        rooms = [*(Room([name], most) for name, most in left.items()), Room(unbounded, self._at_once)]
        return [room for room in rooms if room.kinds and room.most > 0] if self._room else []

    @property
    def _room(self) -> int:
        return max(0, self._at_once - len(self._held))

    async def _leased(
        self, connection: Connection, rooms: list[Room]
    ) -> tuple[list[Work], float | None, frozenset[str]]:
        """Rows taken; in how many seconds the next is due of a kind that still has room; and these kinds."""
        most = self._room
        taken, due = await todo.lease_and_look(connection, rooms, most, self._lease, self.name)
        if len(taken) == most:
            return taken, None, frozenset()
        by_kind = Counter(work.kind for work in taken)
        left = [room for room in rooms if sum(by_kind[kind] for kind in room.kinds) < room.most]
        open = frozenset(kind for room in left for kind in room.kinds)
        if left != rooms:
            due = await todo.next_due(connection, open) if open else None
        return taken, due, open

    def _believed(self) -> float:
        """Until when a lease that is asked for now may be relied upon, in the loop's time."""
        return asyncio.get_running_loop().time() + self._lease * (1 - MARGIN)

    def _begin(self, held: _Held) -> None:
        task = asyncio.create_task(self._see_to(held))
        self._held[task] = held
        task.add_done_callback(self._ended)
        self._count()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Looks again where there may be something to take: a row given back, or one that waited for room."""
        held = self._held.pop(task)
        self._count()
        if not (held.closed and held.work.kind in self._at_rest):
            self._alarm.ring()

    # -- doing

    async def _see_to(self, held: _Held) -> None:
        """Whatever happens, the row ends as closed, given back, or with a lease that runs out."""
        work = held.work
        try:
            await self._bring_to_an_end(held)
        except asyncio.CancelledError:
            if held.lost:
                log.warning("%s %s: another worker has taken it over", work.kind, work.id)
                return
            raise
        except Exception as error:  # noqa: BLE001  # it is done again, or found to be done
            log.warning("%s %s: what came of it is not written, its lease runs out: %s", work.kind, work.id, error)

    async def _bring_to_an_end(self, held: _Held) -> None:
        work, limit = held.work, asyncio.timeout_at(held.until)
        try:
            async with limit:
                held.limit = limit
                said = await self._said(self._kinds[work.kind], work)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is tried again
            held.limit = None
            if limit.expired():
                log.warning("%s %s: the lease ran out while it was done", work.kind, work.id)
            else:
                log.warning("%s %s: attempt %d: %s", work.kind, work.id, work.attempt, told(error))
                await self._again(work, told(error))
            return
        held.limit = None
        held.ends = True
        held.closed = await self._write(work, said)

    async def _said(self, kind: Kind, work: Work) -> Outcome | Later:
        """The outcome, recorded; or that there is more to do later."""
        known = await kind.act.known(work)
        if known is not None:
            return known
        said = await self._done(kind, work)
        if not isinstance(said, Later):
            await kind.act.record(work, said)
        return said

    async def _done(self, kind: Kind, work: Work) -> Outcome | Later:
        """Does it, unless trying has come to its end, which is an outcome as well."""
        if self._given_up(work):
            error = work.last_error or "the worker ended while it was at it"
            return Failed(f"given up after {work.attempt - 1} attempts: {error}", gave_up=True)
        return await kind.act.do(work)

    async def _write(self, work: Work, said: Outcome | Later) -> bool:
        """Whether the row was closed."""
        if isinstance(said, Later):
            postponed = partial(todo.postpone, work=work, seconds=said.seconds, data=said.data)
            ours = await self._on_the_table(postponed)
        else:
            ours = await self._closing.close(Ended(work, isinstance(said, Done), told_of(said)))
        if not ours:
            log.warning("%s %s: another worker has taken it over", work.kind, work.id)
        return ours and not isinstance(said, Later)

    async def _again(self, work: Work, error: str) -> None:
        """Gives the row back for another try; at once when all that is left to do is to give up."""
        policy = self._kinds[work.kind].retry
        was_last = policy.over(work.attempt, work.tried_for) and not self._given_up(work)
        pause = 0.0 if was_last else policy.pause(work.attempt, self._dice)
        await self._on_the_table(partial(todo.retry, work=work, seconds=pause, error=error))

    def _given_up(self, work: Work) -> bool:
        """Whether the attempts before this one were all there are."""
        return work.attempt > 1 and self._kinds[work.kind].retry.over(work.attempt - 1, work.tried_for)

    # -- leases

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            if self._held:
                try:
                    await self._renew(dict(self._held))
                except AWAY as error:
                    log.warning("leases are not renewed: %s", error)

    async def _renew(self, under_way: Mapping[asyncio.Task[None], _Held]) -> None:
        until = self._believed()
        works = [held.work for held in under_way.values()]
        ours = await self._on_the_table(partial(todo.renew, held=works, seconds=self._lease))
        for task, held in under_way.items():
            if held.work.id in ours:
                held.extend(until)
            elif not task.done() and not held.ends:
                held.lost = True
                task.cancel()

    async def _let_go(self) -> None:
        """Waits for what is under way; what takes too long is broken off and given back."""
        under_way = dict(self._held)
        if not under_way:
            return
        _, pending = await asyncio.wait(under_way, timeout=self._grace)
        unfinished = [under_way[task].work for task in pending]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await self._closing.settled()
        if unfinished:
            await asyncio.create_task(self._give_back(unfinished))  # this one is cancelled: no connection for it

    async def _give_back(self, unfinished: Iterable[Work]) -> None:
        try:
            await self._on_the_table(partial(todo.release, held=unfinished))
        except AWAY as error:
            log.warning("leases are left to run out: %s", error)

    # -- the rest

    async def _on_the_table(self, statement: Callable[[Connection], Awaitable[T]]) -> T:
        """In a transaction of its own; tried twice, as all connections of the pool may have died with the server.

        What the first try may have written after all is harmless: only who holds the lease changes anything, and what
        was taken without our knowing it is taken again when its lease has run out.
        """
        with suppress(psycopg.OperationalError):
            async with connected(self._pool) as connection:
                return await statement(connection)
        await self._pool.check()
        async with connected(self._pool) as connection:
            return await statement(connection)

    async def _keep_pruning(self) -> None:
        while True:
            try:
                await self._on_the_table(todo.prune)
            except AWAY as error:
                log.warning("closed to-do rows are not pruned: %s", error)
            await asyncio.sleep(PRUNING)

    def _count(self) -> None:
        self.health = Health(self.name, self.health.status, self.health.reason, len(self._held))

    def _fares(self, status: Status, reason: str | None) -> None:
        if (status, reason) != (self.health.status, self.health.reason):
            level = logging.INFO if reason is None else logging.WARNING
            log.log(level, "to-do worker %s is %s: %s", self.name, status, reason or "well")
            self.health = Health(self.name, status, reason, len(self._held))


def told_of(outcome: Outcome) -> dict[str, Any]:
    """As it is kept with the row."""
    if isinstance(outcome, Done):
        return outcome.result
    return {"error": outcome.error, "gave_up": outcome.gave_up}
