"""What a process is made of, as data: steps, what each asks for and undoes, and where its refusals lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Final

from domain.sagas.events import Course, Facts, Outcome
from domain.sagas.saga import Saga
from projections.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Ask:
    """A command: `POST path` with this body."""

    path: str
    body: Facts = field(default_factory=dict)


class Then(Enum):
    """Where a refusal leads."""

    GO_ON = "the step is done"
    TRY_AGAIN = "the same again, later"
    WAIT = "what it waits for is on its way: a fact will tell"
    OPERATOR = "it takes a person"


@dataclass(frozen=True, slots=True)
class GoBack:
    """The saga is to end like this: before the pivot what was done is undone, after it another saga takes over."""

    outcome: Outcome
    code: str


Where = Then | GoBack

DOGGED: Final = RetryPolicy(first=1.0, longest=60.0, attempts=20)


def never(saga: Saga) -> bool:
    return False


def always(saga: Saga) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Step:
    """`ask` makes the command of its n-th attempt, from what the saga knows.

    With `by_fact` its reply does not complete it: a fact does, and `known` says whether it is known what became of the
    newest attempt. `refused` says by code where a refusal leads, `unlisted` where every other one does. What is tried
    again is tried as `retry` says, and then leads to `exhausted`. A step that waits longer than `timeout` leads to
    `late`. `undo` is the step that takes it back. A step with `skip` is left out where that says so. Completed for the
    first time, it starts the timer that it `sets`.
    """

    name: str
    ask: Callable[[Saga, int], Ask]
    by_fact: bool = False
    pivot: bool = False
    undo: Step | None = None
    refused: Mapping[str, Where] = field(default_factory=dict)
    unlisted: Where = Then.OPERATOR
    retry: RetryPolicy = DOGGED
    exhausted: Where = Then.OPERATOR
    timeout: Callable[[Saga], timedelta] | None = None
    late: Where | None = None
    skip: Callable[[Saga], bool] = never
    known: Callable[[Saga], bool] = always
    sets: tuple[str, Callable[[Saga], timedelta]] | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A process as of one version; an instance keeps the one it began with.

    `close` is the last step of going back, done whatever was done before it. `over` are the steps that end it after the
    pivot when it is not to go on, `late` those for money that comes when it has ended.
    """

    version: int
    steps: Sequence[Step]
    close: Step | None = None
    over: Sequence[Step] = ()
    late: Sequence[Step] = ()

    def plan(self, saga: Saga) -> Sequence[Step]:
        """The steps of the saga's present course, in order."""
        match saga.course:
            case Course.FORWARD:
                return self.steps
            case Course.BACK:
                return self.back(saga)
            case Course.OVER:
                return self.over
            case Course.LATE:
                return self.late

    def back(self, saga: Saga) -> Sequence[Step]:
        """What undoes the steps that were begun, last first, and closes."""
        undone = [step.undo for step in reversed(self.steps) if step.undo is not None and saga.times(step.name)]
        return [*undone, self.close] if self.close is not None else undone

    def next(self, saga: Saga) -> Step | None:
        """The first step of the plan that is not completed."""
        return next((s for s in self.plan(saga) if s.name not in saga.done and not s.skip(saga)), None)

    def step(self, saga: Saga, name: str) -> Step | None:
        return next((step for step in self.plan(saga) if step.name == name), None)

    def passed_pivot(self, saga: Saga) -> bool:
        done = saga.done if saga.course is Course.FORWARD else saga.forward
        return any(step.pivot and step.name in done for step in self.steps)


# --- what a fact or a timer means to a process ------------------------------------------------------------------------


class Verdict(Enum):
    NOT_YET = "it is kept and looked at again"
    NOTHING = "it changes nothing"


@dataclass(frozen=True, slots=True)
class Completes:
    """The named step, if that is what the saga waits for."""

    step: str


@dataclass(frozen=True, slots=True)
class Fails:
    """The named step, with this code, as a refusal would."""

    step: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AsksAgain:
    """The named step's command is to be sent once more: things have changed."""

    step: str


@dataclass(frozen=True, slots=True)
class TakesBack:
    """What the named step has done is undone at once; it will be done again when its turn comes."""

    step: str


@dataclass(frozen=True, slots=True)
class Reopens:
    """The saga had ended; its late steps follow. `stuck`: they were tried often enough, it takes an operator."""

    code: str
    stuck: bool = False


Means = Verdict | Completes | Fails | AsksAgain | TakesBack | Reopens | GoBack
