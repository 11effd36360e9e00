"""The write loop: all commands of one context in this process, decided in order, written at most two appends at a time.

There are no locks and no conflicts among the commands of a process: a run is decided in memory against the growing
state and written by one call; while it flies, the next run is decided on other aggregates and flies behind it. Another
process may have been faster: then the log answers with the newer events, and those commands are decided again.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from commands.arrivals import Arrivals
from commands.handler import Handlers, Ids
from commands.log import Appended, Batch, KeyNeeded, Log, RefusedByLog, Unavailable
from commands.reply import Envelope, OutcomeUnknown, Overloaded, Reply
from commands.run import Clock, Decided, NotLoaded, Run, StillFlying, Waiting, fail, give, reply_of
from commands.states import CAPACITY, KnownStates, version_of
from commands.turns import Turns
from commands.twins import Twins
from domain.aggregate import Context, States
from domain.ids import new_id

FLIGHTS: Final = 2
SWEEP: Final = 0.25  # seconds between looks for commands that have waited past their deadline
RELEASE: Final = 10.0  # seconds for a call without commands

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    queue: int = 5_000  # commands that may wait
    run: int = 500  # commands in one append
    bytes: int = 4_000_000  # of state in one append
    states: int = CAPACITY


def utc_now() -> datetime:
    return datetime.now(UTC)


class WriteLoop:
    """`submit` a command, get its reply. One instance for each context of a process."""

    def __init__(
        self,
        context: Context,
        handlers: Handlers,
        event_log: Log,
        *,
        clock: Clock = utc_now,
        ids: Ids = new_id,
        limits: Limits = Limits(),
    ) -> None:
        self.context = context
        self._handlers = handlers
        self._log = event_log
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._creating = {command for command in handlers if "id" in command.model_fields}
        self._known = KnownStates(event_log, limits.states)
        self._arrivals = Arrivals(self._known, event_log, self._enqueue, self._start)
        self._twins = Twins()
        self._turns = Turns(self._plan_pump)
        self._ready: list[Waiting] = []
        self._flights: list[Run] = []
        self._flying: set[UUID] = set()  # aggregates that appends under way write
        self._pump_planned = False
        self._sweeper: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._nobody = (
            contextvars.Context()
        )  # runs are nobody's: what they log must not name whoever happened to come first

    # -- what others call

    async def submit(self, envelope: Envelope) -> Reply:
        """The command's one reply, refusals included.

        Raises Overloaded when it was not even tried, OutcomeUnknown when the log did not answer before the deadline,
        Unavailable when what it needs could not be read, or nothing is written to this log at present.
        """
        if envelope.key is not None and (reply := await self._twins.reply(envelope.key)):
            return reply
        waiting = self._waiting_for(envelope)
        self._arrivals.admit(waiting)
        self._plan_sweep()
        return await waiting.answer

    async def states(self, ids: Iterable[UUID]) -> States:
        """The states as the log has them now, for reading. Raises Unavailable."""
        return States((await self._known.current(list(ids))).get)

    async def close(self, within: float = 10.0) -> None:
        """Takes no more commands and waits until those that are here are answered. Raises TimeoutError."""
        self._closed = True
        async with asyncio.timeout(within):
            while self._tasks or self._ready:
                await asyncio.wait(set(self._tasks), timeout=0.05) if self._tasks else await asyncio.sleep(0.01)

    @property
    def waiting(self) -> int:
        """Commands that no append carries yet."""
        return len(self._ready) + len(self._arrivals)

    def _waiting_for(self, envelope: Envelope) -> Waiting:
        if self._closed or self.waiting >= self._limits.queue:
            raise Overloaded
        loop = asyncio.get_running_loop()
        handler = self._handlers[type(envelope.command)]
        waiting = Waiting(envelope, handler, loop.create_future(), loop.time() + envelope.deadline)
        if type(envelope.command) in self._creating and envelope.command.target not in self._known:
            self._known.put(envelope.command.target, None)  # it creates: taken as absent, the append will see
        if envelope.key is not None:
            self._twins.add(envelope.key, waiting)
        return waiting

    def _enqueue(self, waiting: Waiting) -> None:
        if not waiting.answer.done():
            self._ready.append(waiting)
            self._plan_pump()

    def _plan_sweep(self) -> None:
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP, self._sweep, context=self._nobody)

    def _sweep(self) -> None:
        """Tells those who have waited too long that nothing of theirs was written, or that it may have been."""
        now = asyncio.get_running_loop().time()
        self._sweeper = None
        self._arrivals.expire(now)
        for waiting in self._ready:
            if waiting.deadline < now:
                fail(waiting, Overloaded())
        self._ready = [w for w in self._ready if not w.answer.done()]
        for one in (one for flight in self._flights for one in flight.decided):
            if one.waiting.deadline < now:  # it flies with others that have more time
                fail(one.waiting, OutcomeUnknown("the database did not answer before the deadline"))
        if self.waiting or self._flights:
            self._plan_sweep()

    # -- runs

    def _plan_pump(self) -> None:
        """All that arrives in this turn of the event loop is looked at together; nothing waits any longer than that."""
        if not self._pump_planned:
            self._pump_planned = True
            asyncio.get_running_loop().call_soon(self._pump, context=self._nobody)

    def _pump(self) -> None:
        self._pump_planned = False
        loop = asyncio.get_running_loop()
        if pause := self._turns.pause(loop.time()):
            self._pump_planned = True
            loop.call_later(pause, self._pump, context=self._nobody)
            return
        while self._ready and len(self._flights) < FLIGHTS:
            run = self._form()
            if not run.decided:
                break
            self._launch(run)
        if self._turns.shown and not (self._closed or self._turns.late or self._flights or self._ready):
            self._turns.shown = False
            self._launch(self._empty())  # else the others would stand back for us until our next command

    def _empty(self) -> Run:
        return Run(self.context, self._known, self._log, self._flying, self._clock(), self._ids)

    def _form(self) -> Run:
        """Takes about half of what waits and flies, so that two runs do fly, in order for each aggregate.

        What could not fly beside this run in any case, because it needs what this run writes, is taken along.
        """
        run = self._empty()
        flying = sum(len(flight.decided) for flight in self._flights)
        half = min((len(self._ready) + flying + 1) // 2, self._limits.run)
        left: list[Waiting] = []
        blocked: set[UUID] = set()
        for n, waiting in enumerate(self._ready):
            if self._closed_to(run, waiting):
                left.extend(self._ready[n:])
                break
            if waiting.answer.done():
                continue
            needs = waiting.needs
            full = len(run.decided) >= half and not run.touches(needs)
            if (
                full
                or not (blocked.isdisjoint(needs) and self._flying.isdisjoint(needs))
                or not self._decide(run, waiting)
            ):
                left.append(waiting)
                blocked.update(needs)
        self._ready = left
        return run

    def _closed_to(self, run: Run, waiting: Waiting) -> bool:
        """Whether this command and all behind it must go in a later run."""
        if len(run.decided) >= self._limits.run or run.size >= self._limits.bytes:
            return True
        return bool(run.decided) and (waiting.alone or run.decided[0].waiting.alone)

    def _decide(self, run: Run, waiting: Waiting) -> bool:
        """Whether the command is dealt with here and now; False: it stays in the queue."""
        try:
            run.decide(waiting)
        except StillFlying:
            return False
        except NotLoaded as missing:
            self._arrivals.load(waiting, missing.id)
        except KeyNeeded as needed:
            self._arrivals.load(waiting, owner=needed.owner)
        except Exception as error:
            name, asked = type(waiting.envelope.command).__name__, waiting.envelope
            log.exception("the handler of %s failed", name, extra={"correlation_id": asked.correlation_id})
            fail(waiting, error)
        return True

    def _launch(self, run: Run) -> None:
        self._flights.append(run)
        self._flying.update(run.written)
        self._start(self._fly(run))

    async def _fly(self, run: Run) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        still_waiting = self._turns.late > sum(one.waiting.late for one in run.decided)
        try:
            batch = run.batch(still_waiting)
            deadline = max((one.waiting.deadline for one in run.decided), default=began + RELEASE)
            appended = await self._log.append(batch, deadline)
            late = still_waiting or bool(appended.stale or appended.recognised)
            self._turns.landed(loop.time(), loop.time() - began, contended=appended.contended, late=late)
            self._landed(run, batch, appended)
        except RefusedByLog as error:
            self._split(run, error)
        except Unavailable as error:
            self._turned_away(run, error)
        except Exception as error:  # noqa: BLE001  # they are told that the outcome is not known
            self._lost(run, error)
        finally:
            self._flights.remove(run)
            self._flying = {id for flight in self._flights for id in flight.written}
            self._plan_pump()

    def _landed(self, run: Run, batch: Batch, appended: Appended) -> None:
        run.keep(appended)
        self._catch_up(appended)
        self._doubt(run, batch, appended)
        again = []
        for one, first in zip(run.decided, appended.first, strict=True):
            if one.component not in appended.stale:
                self._answer(one, first)
            elif not self._answer_from_key(one, appended):
                self._turns.came_late(one.waiting)
                again.append(one.waiting)
        self._ready[:0] = again

    def _answer(self, one: Decided, first: int | None) -> None:
        self._turns.settled(one.waiting)
        if one.leaves_key_open:
            self._start(self._look_before_refusing(one))
        else:
            give(one.waiting, one.reply(first))

    async def _look_before_refusing(self, one: Decided) -> None:
        """The log was not asked about the key, as such a refusal is not kept; but an earlier reply comes first."""
        key = one.waiting.envelope.key
        assert key is not None
        try:
            known = await self._log.reply(key.id)
            give(one.waiting, one.reply(None) if known is None else reply_of(known, key))
        except Exception as error:  # noqa: BLE001  # it is raised to who sent the command
            fail(one.waiting, error)

    def _answer_from_key(self, one: Decided, appended: Appended) -> bool:
        """Answers with the reply its key already has, if it has one."""
        key = one.waiting.envelope.key
        if key is None or (known := appended.replies.get(key.id)) is None:
            return False
        self._turns.settled(one.waiting)
        give(one.waiting, reply_of(known, key))
        return True

    def _catch_up(self, appended: Appended) -> None:
        self._known.forget(appended.reload)
        for id, events in appended.newer.items():
            if id not in self._known:
                continue
            state = self._known[id]
            newer = [event for event in events if event.originator_version > version_of(state)]
            if newer and newer[0].originator_version > version_of(state) + 1:
                self._known.forget([id])  # it was taken as absent meanwhile
            else:
                self._known.put(id, self.context.fold(state, newer))

    def _doubt(self, run: Run, batch: Batch, appended: Appended) -> None:
        """Forgets what stale components read of which the log has nothing newer: it was cut back, as by a fail-over."""
        told = appended.newer.keys() | appended.reload
        keyed = {one.component for one in run.decided if one.keyed and one.keyed.key in appended.replies}
        for component in appended.stale - keyed:
            if told.isdisjoint(batch.reads[component]):
                self._known.forget(batch.reads[component])

    def _split(self, run: Run, error: RefusedByLog) -> None:
        """The database refused the data of one of them: each goes alone, and who is refused again is told so."""
        if len(run.decided) == 1:
            fail(run.decided[0].waiting, error)
            return
        for one in run.decided:
            one.waiting.alone = True
        self._ready[:0] = [one.waiting for one in run.decided]

    def _turned_away(self, run: Run, error: Unavailable) -> None:
        """Nothing was written; what is known may be behind, for somewhere else the log goes on."""
        self._known.forget({id for one in run.decided for id in one.waiting.needs})
        for one in run.decided:
            fail(one.waiting, error)

    def _lost(self, run: Run, error: Exception) -> None:
        """Nobody knows whether it was written: the callers are told, and what it touched is read again when needed."""
        if not isinstance(error, OutcomeUnknown):
            log.error("an append failed", exc_info=error)
        self._known.forget({id for one in run.decided for id in one.waiting.needs})
        self._known.forget(run.written)
        for one in run.decided:
            fail(one.waiting, error if isinstance(error, OutcomeUnknown) else OutcomeUnknown(str(error)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, context=self._nobody)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
