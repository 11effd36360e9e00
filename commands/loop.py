"""The write loop: all commands of one context in this process, decided in order, written at most two appends at a time.

There are no locks and no conflicts among the commands of a process: a run is decided in memory against the growing
state and written by one call; while it flies, the next run is decided on other aggregates and flies behind it. Another
process may have been faster: then the log answers with the newer events, and those commands are decided again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from commands.handler import Handlers, Ids
from commands.log import Appended, KeyNeeded, Log, RefusedByLog, Unavailable
from commands.reply import Envelope, KeyReused, OutcomeUnknown, Overloaded, Reply, restored
from commands.run import Clock, Decided, NotLoaded, Run, StillFlying, Waiting
from commands.states import CAPACITY, KnownStates
from domain.aggregate import Context, States
from domain.ids import new_id

FLIGHTS: Final = 2
SWEEP: Final = 0.25  # seconds between looks for commands that have waited past their deadline

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
        self._view = States(self._loaded)
        self._ready: list[Waiting] = []
        self._arriving: set[Waiting] = set()  # commands whose aggregates are being loaded
        self._flights: list[Run] = []
        self._flying: set[UUID] = set()
        self._late = 0
        self._keys: dict[UUID, Waiting] = {}
        self._pump_planned = False
        self._hold_until = 0.0
        self._call_time = 0.001  # moving average of an append, seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    # -- what others call

    async def submit(self, envelope: Envelope) -> Reply:
        """The command's one reply, refusals included.

        Raises Overloaded when it was not even tried, OutcomeUnknown when the log did not answer before the deadline.
        """
        while envelope.key is not None and (twin := self._keys.get(envelope.key.id)) is not None:
            if reply := await self._same_as(twin, envelope.key.digest):
                return reply
        waiting = self._admit(envelope)
        if self._needs_loading(waiting):
            self._load_for(waiting)
        else:
            self._enqueue(waiting)
        return await waiting.answer

    async def states(self, ids: Iterable[UUID]) -> States:
        """The states as the log has them now, for reading. Raises Unavailable."""
        return States((await self._known.current(list(ids))).get)

    async def close(self, within: float = 10.0) -> None:
        """Takes no more commands and waits until those that are here are answered."""
        self._closed = True
        async with asyncio.timeout(within):
            while self._tasks or self._ready:
                await asyncio.wait(set(self._tasks), timeout=0.05) if self._tasks else await asyncio.sleep(0.01)

    @property
    def waiting(self) -> int:
        return len(self._ready) + len(self._arriving)

    # -- arriving

    def _admit(self, envelope: Envelope) -> Waiting:
        if self._closed or self.waiting >= self._limits.queue:
            raise Overloaded
        loop = asyncio.get_running_loop()
        handler = self._handlers[type(envelope.command)]
        waiting = Waiting(envelope, handler, loop.create_future(), loop.time() + envelope.deadline)
        if envelope.key is not None:
            self._keys[envelope.key.id] = waiting
            key = envelope.key.id
            waiting.answer.add_done_callback(lambda _: self._forget_key(key))
        if type(envelope.command) in self._creating and envelope.command.target not in self._known:
            self._known.put(envelope.command.target, None)  # it creates: taken as absent, the append will see
        return waiting

    async def _same_as(self, twin: Waiting, digest: bytes) -> Reply | None:
        """The reply of a command with the same key that is being worked on; None if it leaves none."""
        await asyncio.wait({twin.answer})
        if twin.answer.cancelled() or twin.answer.exception() is not None:
            return None
        reply, key = twin.answer.result(), twin.envelope.key
        if key is not None and key.digest != digest:
            return Reply(None, KeyReused())
        return reply.again() if reply.refusal is None or reply.refusal.final else None

    def _forget_key(self, key: UUID) -> None:
        self._keys.pop(key, None)

    def _needs_loading(self, waiting: Waiting) -> bool:
        """Asks what the command needs, as far as that can be told from what is loaded."""
        try:
            waiting.needs = tuple(waiting.handler.needs(waiting.envelope.command, self._view))
        except NotLoaded as missing:
            waiting.needs = (missing.id,)
        except Exception as error:  # noqa: BLE001  # it is raised to who sent the command
            _fail(waiting, error)
            return False
        return bool(self._known.missing(waiting.needs))

    def _loaded(self, id: UUID) -> Any:
        if id not in self._known:
            raise NotLoaded(id)
        return self._known[id]

    def _load_for(self, waiting: Waiting, *also: UUID, owner: UUID | None = None) -> None:
        self._arriving.add(waiting)
        self._plan_sweep()
        self._start(self._arrive(waiting, also, owner))

    async def _arrive(self, waiting: Waiting, also: tuple[UUID, ...], owner: UUID | None) -> None:
        """Loads what the command needs, then lets it join a run. While the database is away it tries again."""
        pause = 0.05
        try:
            while not waiting.answer.done():
                try:
                    if owner is not None:
                        await self._log.fetch_keys({owner})
                        owner = None
                    await self._known.load((*waiting.needs, *also))
                    if not self._needs_loading(waiting):
                        break
                except Unavailable:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 1.0)
        except Exception as error:  # noqa: BLE001  # it is raised to who sent the command
            _fail(waiting, error)
        finally:
            self._arriving.discard(waiting)
        self._enqueue(waiting)

    def _enqueue(self, waiting: Waiting) -> None:
        if waiting.answer.done():
            return
        self._ready.append(waiting)
        self._plan_sweep()
        self._plan_pump()

    def _plan_sweep(self) -> None:
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP, self._sweep)

    def _sweep(self) -> None:
        """Tells those who have waited too long that nothing of theirs was written."""
        now = asyncio.get_running_loop().time()
        self._sweeper = None
        for waiting in (w for w in self._ready if w.deadline < now):
            _fail(waiting, Overloaded())
        for waiting in (w for w in self._arriving if w.deadline < now):
            _fail(waiting, Unavailable("what the command needs could not be read before its deadline"))
        self._ready = [w for w in self._ready if not w.answer.done()]
        if self.waiting:
            self._plan_sweep()

    # -- runs

    def _plan_pump(self) -> None:
        """All that arrives in this turn of the event loop is looked at together; nothing waits any longer than that."""
        if not self._pump_planned:
            self._pump_planned = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_planned = False
        wait = self._hold_until - asyncio.get_running_loop().time()
        if wait > 0 and not self._late:
            self._pump_planned = True
            asyncio.get_running_loop().call_later(wait, self._pump)
            return
        while self._ready and len(self._flights) < FLIGHTS:
            run = self._form()
            if not run.decided:
                break
            self._launch(run)

    def _form(self) -> Run:
        """Takes about half of what waits and flies, so that two runs do fly, in order for each aggregate.

        What could not fly beside this run in any case, because it needs what this run writes, is taken along.
        """
        run = Run(self.context, self._known, self._log, self._flying, self._clock(), self._ids)
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
            self._load_for(waiting, missing.id)
        except KeyNeeded as needed:
            self._load_for(waiting, owner=needed.owner)
        except Exception as error:
            log.exception("the handler of %s failed", type(waiting.envelope.command).__name__)
            _fail(waiting, error)
        return True

    def _launch(self, run: Run) -> None:
        self._flights.append(run)
        self._flying.update(run.written)
        self._start(self._fly(run))

    async def _fly(self, run: Run) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        still_waiting = self._late > sum(one.waiting.late for one in run.decided)
        try:
            batch = run.batch(still_waiting)
            appended = await self._log.append(batch, max(one.waiting.deadline for one in run.decided))
        except RefusedByLog as error:
            self._split(run, error)
        except Exception as error:  # noqa: BLE001  # they are told that the outcome is not known
            self._lost(run, error)
        else:
            self._call_time += (loop.time() - began - self._call_time) * 0.1
            if appended.contended:
                self._hold_until = loop.time() + self._call_time
            self._landed(run, appended)
        finally:
            self._flights.remove(run)
            self._flying = {id for flight in self._flights for id in flight.written}
            self._plan_pump()

    def _landed(self, run: Run, appended: Appended) -> None:
        run.keep(appended)
        self._catch_up(appended)
        again = []
        for one, first in zip(run.decided, appended.first, strict=True):
            if one.component not in appended.stale:
                self._answer(one, first)
            elif not self._answer_from_key(one, appended):
                again.append(self._retry(one.waiting))
        self._ready[:0] = again

    def _answer(self, one: Decided, first: int | None) -> None:
        self._settle(one.waiting)
        if not one.waiting.answer.done():
            one.waiting.answer.set_result(one.reply(first))

    def _answer_from_key(self, one: Decided, appended: Appended) -> bool:
        """Answers with the reply its key already has, if it has one."""
        key = one.waiting.envelope.key
        if key is None or (known := appended.replies.get(key.id)) is None:
            return False
        self._settle(one.waiting)
        same = known.digest == key.digest
        reply = restored(known.body, known.first) if same else Reply(None, KeyReused())
        if not one.waiting.answer.done():
            one.waiting.answer.set_result(reply)
        return True

    def _retry(self, waiting: Waiting) -> Waiting:
        if not waiting.late:
            waiting.late = True
            self._late += 1
            waiting.answer.add_done_callback(lambda _: self._settle(waiting))
        return waiting

    def _settle(self, waiting: Waiting) -> None:
        if waiting.late:
            waiting.late = False
            self._late -= 1

    def _catch_up(self, appended: Appended) -> None:
        self._known.forget(appended.reload)
        for id, events in appended.newer.items():
            if id not in self._known:
                continue
            state = self._known[id]
            known = 0 if state is None else state.version
            newer = (event for event in events if event.originator_version > known)
            self._known.put(id, self.context.fold(state, newer))

    def _split(self, run: Run, error: RefusedByLog) -> None:
        """The database refused the data of one of them: each goes alone, and who is refused again is told so."""
        if len(run.decided) == 1:
            _fail(run.decided[0].waiting, error)
            return
        for one in run.decided:
            one.waiting.alone = True
        self._ready[:0] = [one.waiting for one in run.decided]

    def _lost(self, run: Run, error: Exception) -> None:
        """Nobody knows whether it was written: the callers are told, and what it touched is read again when needed."""
        if not isinstance(error, OutcomeUnknown):
            log.error("an append failed", exc_info=error)
        self._known.forget({id for one in run.decided for id in one.waiting.needs})
        self._known.forget(run.written)
        for one in run.decided:
            _fail(one.waiting, error if isinstance(error, OutcomeUnknown) else OutcomeUnknown(str(error)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fail(waiting: Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
