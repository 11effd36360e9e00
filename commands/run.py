"""A run: commands decided in order against the growing state, grouped into components, to be written by one append."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from uuid_utils import uuid7

from commands.handler import Answer, Decision, Handler, Ids
from commands.log import Appended, Batch, Encoded, KeyedReply, Log, StoredReply, Unit
from commands.reply import Envelope, Key, KeyReused, Reply, positions_of, restored, stored
from commands.states import KnownStates, version_of
from domain.aggregate import Context, States
from domain.errors import DomainError, StaleVersion
from domain.event import Event
from domain.ids import new_id, slice_of


@dataclass(slots=True, eq=False)
class Waiting:
    """A command that waits for its reply. `needs` are the aggregates it named when it was last asked."""

    envelope: Envelope
    handler: Handler[Any]
    answer: asyncio.Future[Reply]
    deadline: float
    needs: tuple[UUID, ...] = ()
    late: bool = False  # it came too late in an earlier append
    alone: bool = False  # it was in a run whose data the database refused


def fail(waiting: Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def give(waiting: Waiting, reply: Reply) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(reply)


def reply_of(known: StoredReply, key: Key) -> Reply:
    """What a key that already has a reply is answered."""
    return restored(known.body, known.first) if known.digest == key.digest else Reply(None, KeyReused())


_MISSING: Final = object()


class NotLoaded(Exception):
    """The command reads an aggregate that is not loaded."""

    def __init__(self, id: UUID) -> None:
        super().__init__(str(id))
        self.id = id


class StillFlying(Exception):
    """The command reads an aggregate that an append under way writes."""


@dataclass(slots=True)
class Decided:
    """A command's outcome, to become a unit."""

    waiting: Waiting
    component: int
    events: tuple[Event, ...]
    encoded: list[Encoded]
    answer: Answer | None
    refusal: DomainError | None
    keyed: KeyedReply | None

    @property
    def leaves_key_open(self) -> bool:
        """It has a key, but is refused in a way that is not kept with keys."""
        return self.keyed is None and self.waiting.envelope.key is not None

    def reply(self, first: int | None) -> Reply:
        return Reply(self.answer, self.refusal, positions_of(_slices(self.events), first) if first else ())


@dataclass(slots=True)
class Component:
    """Units that stand or fall together: `reads` are the versions in the log of all they read, absent 0."""

    reads: dict[UUID, int] = field(default_factory=dict)
    joined: int | None = None  # the component it became part of


@dataclass(slots=True, eq=False)
class Run(States):
    """Decides commands one after another. What is read comes from this run's own outcomes, else from `known`.

    `flying` are the aggregates that appends under way write: nothing is decided on their uncommitted state.

    It is itself the states that handlers see: a view that refers to the run would be a cycle, and leave each run, with
    all that was decided in it, to the garbage collector.
    """

    context: Context
    known: KnownStates
    log: Log
    flying: Collection[UUID]
    at: datetime
    ids: Ids = new_id
    decided: list[Decided] = field(default_factory=list)
    size: int = 0  # bytes of state
    written: dict[UUID, tuple[Any, int]] = field(default_factory=dict)  # state and component of what this run wrote
    _components: list[Component] = field(default_factory=list)
    # of the command that is being decided:
    _now: dict[UUID, Any] = field(default_factory=dict)  # the states it sees, its own events included
    _reads: dict[UUID, int] = field(default_factory=dict)  # versions in the log of what it saw unchanged
    _joins: set[int] = field(default_factory=set)  # components whose writes it saw

    def decide(self, waiting: Waiting) -> None:
        """Adds the command's outcome. Raises NotLoaded, StillFlying, KeyNeeded, or what a faulty handler raises."""
        self._now.clear()
        self._reads, self._joins = {}, set()
        envelope = waiting.envelope
        try:
            events = self._decision(waiting)
            self._evolve(events)
            encoded = self._encode(events)
            answer, refusal = waiting.handler.answer(envelope.command, self), None
        except DomainError as error:
            events, encoded, answer, refusal = (), [], None, error
        keyed = None if envelope.key is None else _keyed_reply(envelope.key, Reply(answer, refusal), events)
        component = self._component()
        for event in events:
            self.written[event.originator_id] = self._now[event.originator_id], component
        self.decided.append(Decided(waiting, component, events, encoded, answer, refusal, keyed))

    def touches(self, ids: Sequence[UUID]) -> bool:
        return not self.written.keys().isdisjoint(ids)

    def batch(self, still_waiting: bool) -> Batch:
        """The run as it is written. Components that became part of another are left out."""
        numbers: dict[int, int] = {}
        reads: list[dict[UUID, int]] = []
        units: list[Unit] = []
        for one in self.decided:
            root = self._root(one.component)
            if root not in numbers:
                numbers[root] = len(reads)
                reads.append(self._components[root].reads)
            one.component = numbers[root]
            units.append(Unit(one.component, one.waiting.envelope, one.encoded, one.keyed))
        return Batch(reads, units, still_waiting)

    def keep(self, appended: Appended) -> None:
        """Keeps the states of what was written."""
        stale = self._written_by(appended.stale) if appended.stale else ()
        for id, (state, _) in self.written.items():
            if id not in stale:
                self.known.put_newer(id, state)
                self.log.kept(state)

    def _written_by(self, components: Collection[int]) -> set[UUID]:
        return {event.originator_id for one in self.decided if one.component in components for event in one.events}

    def look_up(self, id: UUID) -> Any:
        # Hashing a UUID is slow, so the common path does it once.
        state = self._now.get(id, _MISSING)
        return self._first_look(id) if state is _MISSING else state

    def _first_look(self, id: UUID) -> Any:
        if (own := self.written.get(id)) is not None:
            state, component = own
            self._joins.add(self._root(component))
        elif self.flying and id in self.flying:
            raise StillFlying
        elif (state := self.known.get(id, _MISSING)) is _MISSING:
            raise NotLoaded(id)
        else:
            self._reads[id] = version_of(state)
        self._now[id] = state
        return state

    def _decision(self, waiting: Waiting) -> tuple[Event, ...]:
        envelope, handler = waiting.envelope, waiting.handler
        for id in handler.needs(envelope.command, self):
            self.look_up(id)
        if envelope.expected_version is not None:
            self._check_version(envelope.command.target, envelope.expected_version)
        return _events(handler.decide(envelope.command, self, self.at, self.ids))

    def _check_version(self, id: UUID, expected: int) -> None:
        if (current := version_of(self.look_up(id))) != expected and current:
            raise StaleVersion(id, expected, current)

    def _evolve(self, events: tuple[Event, ...]) -> None:
        for event in events:
            id = event.originator_id
            state = self.look_up(id)
            if event.originator_version != version_of(state) + 1:
                raise WrongVersion(event, version_of(state))
            self._now[id] = self.context.evolve(state, event)

    def _encode(self, events: tuple[Event, ...]) -> list[Encoded]:
        encoded = []
        for event in events:
            state = self.log.encode(event)
            self.size += len(state)
            encoded.append(Encoded(event, state, uuid7().bytes))
        return encoded

    def _component(self) -> int:
        """The component of the command just decided: its own, or the one of whom it read from."""
        if not self._joins:
            self._components.append(Component(self._reads))
            return len(self._components) - 1
        root = self._merge(self._joins)
        self._components[root].reads.update(self._reads)
        return root

    def _merge(self, roots: set[int]) -> int:
        root, *others = sorted(roots)
        for other in others:
            self._components[other].joined = root
            self._components[root].reads.update(self._components[other].reads)
        return root

    def _root(self, component: int) -> int:
        while (joined := self._components[component].joined) is not None:
            component = joined
        return component


class WrongVersion(Exception):
    """A handler's event does not follow the aggregate's last one."""

    def __init__(self, event: Event, current: int) -> None:
        super().__init__(
            f"{event.TOPIC} for {event.originator_id} has version {event.originator_version}; {current + 1} is next"
        )


def _events(decision: Decision) -> tuple[Event, ...]:
    if decision is None:
        return ()
    return (decision,) if isinstance(decision, Event) else tuple(decision)


def _slices(events: Sequence[Event]) -> list[int]:
    return [slice_of(event.originator_id) for event in events]


def _keyed_reply(key: Key, reply: Reply, events: Sequence[Event]) -> KeyedReply | None:
    if reply.refusal is not None and not reply.refusal.final:
        return None
    return KeyedReply(key.id, key.digest, stored(reply, _slices(events)), key.keep_until)


Clock = Callable[[], datetime]
