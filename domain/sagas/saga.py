"""A saga's state, and how each of its events changes it. What follows from an input is decided in `sagas/engine.py`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, assert_never
from uuid import UUID

from immutables import Map

from domain.ids import SagaId
from domain.persistent import AsObject
from domain.sagas.events import (
    ActionKind,
    ActionTaken,
    AnySagaEvent,
    CommandDispatched,
    Course,
    CourseChanged,
    EndWished,
    Facts,
    InputKind,
    InputReceived,
    InputUsed,
    OperatorNeeded,
    Outcome,
    SagaEnded,
    SagaParked,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepTakenBack,
    TimerSet,
)


class Status(StrEnum):
    RUNNING = "RUNNING"
    COMPENSATING = "COMPENSATING"
    STUCK = "STUCK"  # going forward it needs an operator
    COMPENSATION_FAILED = "COMPENSATION_FAILED"
    PARKED = "PARKED"  # its own rules failed
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Input:
    id: UUID
    kind: InputKind
    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why it does not go on: `next_at` is when it is tried again, None when that takes an operator."""

    step: str
    code: str
    detail: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wish:
    outcome: Outcome
    code: str


@dataclass(frozen=True, slots=True)
class Saga:
    """`asked`: commands without a reply, by id, with the step they are of. `current` is that of the present step.

    `begun` counts how often a step's command was dispatched, `done` has the steps that are completed on the present
    course, `known` the newest fact of each name. `failures` counts those of the present step.
    """

    id: SagaId
    version: int
    process: str
    definition: int
    key: UUID
    started_at: datetime
    course: Course = Course.FORWARD
    seen: Annotated[Map[UUID, bool], AsObject()] = field(default_factory=Map)
    inbox: tuple[Input, ...] = ()
    known: Annotated[Map[str, Facts], AsObject()] = field(default_factory=Map)
    begun: Annotated[Map[str, int], AsObject()] = field(default_factory=Map)
    done: frozenset[str] = frozenset()
    forward: frozenset[str] = frozenset()  # what was completed before the course changed
    asked: Annotated[Map[UUID, str], AsObject()] = field(default_factory=Map)
    step: str | None = None
    current: UUID | None = None
    accepted: bool = False  # the present step's command
    since: datetime | None = None  # when the present step was begun
    timers: Annotated[Map[str, datetime], AsObject()] = field(default_factory=Map)
    failures: int = 0
    trouble: Trouble | None = None
    wish: Wish | None = None
    parked: str | None = None
    paused: bool = False
    stuck: bool = False
    outcome: Outcome | None = None
    ended_at: datetime | None = None

    @property
    def status(self) -> Status:
        if self.parked is not None:
            return Status.PARKED
        if self.outcome is not None:
            return Status.ENDED
        back = self.course in (Course.BACK, Course.LATE)
        if self.stuck:
            return Status.COMPENSATION_FAILED if back else Status.STUCK
        return Status.COMPENSATING if back else Status.RUNNING

    @property
    def ended(self) -> bool:
        return self.outcome is not None

    @property
    def held(self) -> bool:
        """Nothing is decided and nothing done until an operator says so."""
        return self.paused or self.parked is not None

    def times(self, step: str) -> int:
        return self.begun.get(step, 0)


def evolve(saga: Saga | None, event: AnySagaEvent) -> Saga:
    if isinstance(event, SagaStarted):
        return Saga(
            SagaId(event.originator_id), event.originator_version, event.process, event.definition, event.key,
            event.timestamp,
        )  # fmt: skip
    assert saga is not None
    return changed(replace(saga, version=event.originator_version), event)


def changed(saga: Saga, event: AnySagaEvent) -> Saga:
    match event:
        case SagaStarted():
            return saga
        case InputReceived():
            return received(saga, event)
        case InputUsed():
            return used(saga, event.input_id)
        case CommandDispatched():
            return dispatched(saga, event)
        case StepCompleted():
            return completed(saga, event)
        case StepTakenBack():
            return replace(saga, done=saga.done - {event.step})
        case StepFailed():
            trouble = Trouble(event.step, event.code, event.detail, event.next_at)
            return replace(saga, failures=saga.failures + 1, trouble=trouble)
        case TimerSet():
            return replace(saga, timers=saga.timers.set(event.name, event.due_at))
        case EndWished():
            return replace(saga, wish=Wish(event.outcome, event.code))
        case CourseChanged():
            return turned(saga, event)
        case OperatorNeeded():
            trouble = Trouble(event.step, event.code, event.detail, None)
            return replace(saga, stuck=True, trouble=trouble)
        case SagaParked():
            return replace(saga, parked=event.error)
        case ActionTaken():
            return acted(saga, event)
        case SagaEnded():
            return replace(saga, outcome=event.outcome, ended_at=event.timestamp, trouble=None, stuck=False, **NO_STEP)
        case _:
            assert_never(event)


NO_STEP: dict[str, Any] = {"step": None, "current": None, "accepted": False, "failures": 0}


def received(saga: Saga, event: InputReceived) -> Saga:
    saga = replace(saga, seen=saga.seen.set(event.input_id, True))
    if event.used:
        return taken(saga, event.input_id, event.kind, event.name, event.facts)
    return replace(saga, inbox=(*saga.inbox, Input(event.input_id, event.kind, event.name, event.facts)))


def used(saga: Saga, id: UUID) -> Saga:
    found = next(each for each in saga.inbox if each.id == id)
    saga = replace(saga, inbox=tuple(each for each in saga.inbox if each.id != id))
    return taken(saga, id, found.kind, found.name, found.facts)


def taken(saga: Saga, id: UUID, kind: InputKind, name: str, facts: Facts) -> Saga:
    """What every input changes, whatever is decided upon it."""
    if kind is InputKind.FACT:
        return replace(saga, known=saga.known.set(name, facts))
    if kind is InputKind.TIMER:
        return replace(saga, timers=saga.timers.delete(name) if name in saga.timers else saga.timers)
    asked = saga.asked.delete(id) if id in saga.asked else saga.asked
    return replace(saga, asked=asked, accepted=saga.accepted or (id == saga.current and name == ACCEPTED))


ACCEPTED = "accepted"
REFUSED = "refused"


def dispatched(saga: Saga, event: CommandDispatched) -> Saga:
    saga = replace(
        saga,
        begun=saga.begun.set(event.step, saga.times(event.step) + 1),
        asked=saga.asked.set(event.command_id, event.step),
    )
    if event.aside:
        return saga
    same = saga.step == event.step
    return replace(
        saga,
        step=event.step,
        current=event.command_id,
        accepted=False,
        since=saga.since if same else event.timestamp,
        failures=saga.failures if same else 0,
        trouble=None,
        stuck=False,
    )


def completed(saga: Saga, event: StepCompleted) -> Saga:
    done = saga.done | {event.step}
    if saga.step is not None and saga.step != event.step:
        return replace(saga, done=done)
    return replace(saga, done=done, trouble=None, stuck=False, **NO_STEP)


def turned(saga: Saga, event: CourseChanged) -> Saga:
    forward = saga.done if saga.course is Course.FORWARD else saga.forward
    return replace(
        saga, course=event.course, forward=forward, done=frozenset(), wish=Wish(event.outcome, event.code),
        outcome=None, ended_at=None, trouble=None, stuck=False, **NO_STEP,
    )  # fmt: skip


def acted(saga: Saga, event: ActionTaken) -> Saga:
    saga = replace(saga, seen=saga.seen.set(event.action_id, True))
    match event.action:
        case ActionKind.PAUSE:
            return replace(saga, paused=True)
        case ActionKind.RESUME:
            return replace(saga, paused=False)
        case ActionKind.RETRY | ActionKind.REDELIVER:
            return replace(saga, parked=None)
        case ActionKind.CANCEL | ActionKind.RESOLVE:
            return saga
        case _:
            assert_never(event.action)
