"""What follows from an input: pure and total, the same for every process.

    react(saga, input) -> events

An input is first noted, under its id, so that it counts once. Then it is looked at: a reply and a timer mean the same
to every process, a fact what the process says. What cannot be used yet waits in the inbox and is offered again after
every input that was. If the rules themselves fail, the saga is parked with the input, and everything waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, assert_never
from uuid import UUID

from domain.event import after, first
from domain.ids import SagaId, UserId, derive
from domain.sagas.errors import ActionNotPossible
from domain.sagas.events import (
    ActionKind,
    ActionTaken,
    CommandDispatched,
    Course,
    CourseChanged,
    EndWished,
    InputKind,
    InputReceived,
    InputUsed,
    OperatorNeeded,
    Outcome,
    SagaEnded,
    SagaEvent,
    SagaParked,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepTakenBack,
    TimerSet,
)
from domain.sagas.saga import ACCEPTED, Input, Saga, evolve
from sagas.definition import (
    AsksAgain,
    Completes,
    Definition,
    Fails,
    GoBack,
    Means,
    Reopens,
    Step,
    TakesBack,
    Then,
    Verdict,
    Where,
)
from sagas.process import Process

RETRY: Final = "retry"
LATE: Final = "late"


class Engine:
    """The processes there are, by name."""

    def __init__(self, processes: Mapping[str, Process]) -> None:
        self.processes = processes

    def react(
        self, saga: Saga | None, id: SagaId, process: str, key: UUID, input: Input, at: datetime
    ) -> list[SagaEvent]:
        """The events that follow. Never raises because of the input."""
        known = self.processes[process]
        if saga is not None and input.id in saga.seen:
            return []
        reaction = Reaction(known, saga, at)
        if saga is None:
            reaction.record(SagaStarted, first(id, at), process=process, definition=known.newest, key=key)
        reaction.receive(input)
        return reaction.events

    def act(
        self, saga: Saga, action: ActionKind, id: UUID, by: UserId | None, reason: str, at: datetime
    ) -> list[SagaEvent]:
        """What an operator has it do. Raises ActionNotPossible."""
        if id in saga.seen:
            return []
        reaction = Reaction(self.processes[saga.process], saga, at)
        if (why := refusal(reaction.definition, saga, action)) is not None:
            raise ActionNotPossible(saga.id, action, why)
        reaction.note(ActionTaken, action_id=id, action=action, by=by, reason=reason)
        reaction.carry_out(action)
        return reaction.events


def refusal(definition: Definition, saga: Saga, action: ActionKind) -> str | None:
    """Why an action is not possible, None if it is."""
    if action is ActionKind.PAUSE:
        return "it has ended" if saga.ended else ("it is paused" if saga.paused else None)
    if action is ActionKind.RESUME:
        return None if saga.paused else "it is not paused"
    if action is ActionKind.REDELIVER:
        return None if saga.inbox else "nothing waits in its inbox"
    if saga.ended and saga.parked is None:
        return f"it has ended as {saga.outcome}"
    if saga.paused:
        return "it is paused: resume it first"
    if action is ActionKind.RETRY:
        return None if saga.trouble or saga.parked is not None else "nothing has failed: it is waiting for an answer"
    if saga.parked is not None:
        return "it is parked: retry it once its rules are mended"
    if action is ActionKind.CANCEL:
        if saga.course is not Course.FORWARD:
            return "it goes back or is over already"
        return "the pivot is passed: cancel the order" if definition.passed_pivot(saga) else None
    return None if saga.stuck else "it is not stuck: only a step that needs an operator can be resolved by hand"


class Reaction:
    """The events that follow from one input, each folded into the state before the next is decided."""

    def __init__(self, process: Process, saga: Saga | None, at: datetime) -> None:
        self.process = process
        self.events: list[SagaEvent] = []
        self.at = at
        self._saga = saga

    @property
    def saga(self) -> Saga:
        assert self._saga is not None
        return self._saga

    @property
    def definition(self) -> Definition:
        return self.process.definitions[self.saga.definition]

    def record(self, cls: type[SagaEvent], identity: Mapping[str, Any], /, **fields: Any) -> None:
        event: Any = cls(**identity, **fields)
        self._saga = evolve(self._saga, event)
        self.events.append(event)

    def note(self, cls: type[SagaEvent], /, **fields: Any) -> None:
        self.record(cls, after(self.saga, self.at), **fields)

    # -- taking in

    def receive(self, input: Input) -> None:
        noted = self.mark()
        try:
            used = self._use(input, received=True)
        except Exception as error:  # noqa: BLE001  # whatever the rules raise, nothing is lost: it waits and is named
            self.back_to(noted)
            self._keep(input)
            self.note(SagaParked, input_id=input.id, error=f"{type(error).__name__}: {error}")
            return
        if used:
            self.offer_again()

    def mark(self) -> tuple[Saga, int]:
        return self.saga, len(self.events)

    def back_to(self, mark: tuple[Saga, int]) -> None:
        self._saga, length = mark
        del self.events[length:]

    def offer_again(self) -> None:
        """What waits, the oldest first, until nothing of it can be used."""
        while not self.saga.held:
            for input in self.saga.inbox:
                noted = self.mark()
                try:
                    used = self._use(input, received=False)
                except Exception as error:  # noqa: BLE001
                    self.back_to(noted)
                    self.note(SagaParked, input_id=input.id, error=f"{type(error).__name__}: {error}")
                    return
                if used:
                    break
            else:
                return

    def _use(self, input: Input, *, received: bool) -> bool:
        """Whether it could be used; if not, it waits in the inbox."""
        means = Verdict.NOT_YET if self.saga.held else self._means(input)
        if means is Verdict.NOT_YET:
            if received:
                self._keep(input)
            return False
        before = self.saga
        if received:
            self.note(InputReceived, input_id=input.id, kind=input.kind, name=input.name, facts=input.facts, used=True)
        else:
            self.note(InputUsed, input_id=input.id)
        self._follow(means, input, before)
        self.go_on()
        return True

    def _keep(self, input: Input) -> None:
        self.note(InputReceived, input_id=input.id, kind=input.kind, name=input.name, facts=input.facts, used=False)

    def _means(self, input: Input) -> Means:
        match input.kind:
            case InputKind.FACT:
                return self.process.means(self.saga, input)
            case InputKind.REPLY:
                return Verdict.NOTHING
            case InputKind.TIMER:
                return self._means_timer(input.name)
            case _:
                assert_never(input.kind)

    def _means_timer(self, name: str) -> Means:
        return Verdict.NOTHING if name.partition("/")[0] in (RETRY, LATE) else self.process.means_timer(self.saga, name)

    # -- following

    def _follow(self, means: Means, input: Input, before: Saga) -> None:
        if input.kind is InputKind.REPLY:
            self._replied(input, before)
        elif input.kind is InputKind.TIMER and input.name.partition("/")[0] in (RETRY, LATE):
            self._rang(input.name)
        else:
            self._meant(means)

    def _replied(self, input: Input, before: Saga) -> None:
        if before.current != input.id:
            return  # of a step that is over, or one aside
        step = self._step_named(before.step)
        if input.name != ACCEPTED:
            self._failed(step, str(input.facts.get("code", "")), str(input.facts.get("detail", "")))
        elif not step.by_fact:
            self._complete(step)

    def _rang(self, name: str) -> None:
        """Of a step that is over by now, or was begun anew since, it means nothing."""
        kind, step_name, count = name.split("/")
        if self.saga.step != step_name or self.saga.times(step_name) != int(count):
            return
        step = self._step_named(step_name)
        if kind == RETRY:
            if self.saga.trouble is not None and self.saga.trouble.next_at is not None:
                self._dispatch(step)
        elif isinstance(step.late, GoBack):
            self._wish(step.late.outcome, step.late.code)  # what became of the step is not known for that
        elif step.late is not None:
            self._lead(step, step.late, "TIMED_OUT", f"{step.name} took too long")

    def _meant(self, means: Means) -> None:
        match means:
            case Completes(step=name):
                if self.saga.step == name:
                    self._complete(self._step_named(name))
            case Fails(step=name, code=code, detail=detail):
                if self.saga.step == name:
                    self._failed(self._step_named(name), code, detail)
            case AsksAgain(step=name):
                if self.saga.step == name:
                    self._dispatch(self._step_named(name))
            case TakesBack(step=name):
                self._take_back(name)
            case Reopens(code=code, stuck=stuck):
                self._reopen(code, stuck=stuck)
            case GoBack(outcome=outcome, code=code):
                self._wish(outcome, code)
            case Verdict():
                pass
            case _:
                assert_never(means)

    def _reopen(self, code: str, *, stuck: bool) -> None:
        self.note(CourseChanged, course=Course.LATE, outcome=self.saga.outcome or Outcome.DONE, code=code)
        step = self.definition.next(self.saga)
        if stuck and step is not None:
            self.note(OperatorNeeded, step=step.name, course=Course.LATE, code=code, detail="it comes again and again")

    def _complete(self, step: Step) -> None:
        self.note(StepCompleted, step=step.name, course=self.saga.course)
        if step.sets is not None and self.saga.times(step.name) == 1:
            name, after_ = step.sets
            self._set(name, self.at + after_(self.saga))

    def _failed(self, step: Step, code: str, detail: str) -> None:
        self._lead(step, step.refused.get(code, step.unlisted), code, detail)

    def _lead(self, step: Step, where: Where, code: str, detail: str) -> None:
        match where:
            case Then.GO_ON:
                self._complete(step)
            case Then.TRY_AGAIN:
                self._try_again(step, code, detail)
            case Then.WAIT:
                pass
            case Then.OPERATOR:
                self.note(OperatorNeeded, step=step.name, course=self.saga.course, code=code, detail=detail)
            case GoBack(outcome=outcome, code=named):
                self._gave_up(step, code, detail)
                self._wish(outcome, named)
            case _:
                assert_never(where)

    def _gave_up(self, step: Step, code: str, detail: str) -> None:
        self.note(StepFailed, step=step.name, course=self.saga.course, code=code, detail=detail, next_at=None)

    def _try_again(self, step: Step, code: str, detail: str) -> None:
        tried = self.saga.failures + 1
        if step.retry.over(tried, self._tried_for()):
            self._lead(step, step.exhausted, code, detail)
            return
        pause = timedelta(seconds=step.retry.pause(tried, Random(self.saga.id.int ^ self.saga.version)))  # noqa: S311
        next_at = self.at + pause
        self.note(StepFailed, step=step.name, course=self.saga.course, code=code, detail=detail, next_at=next_at)
        self._set(f"{RETRY}/{step.name}/{self.saga.times(step.name)}", next_at)

    def _tried_for(self) -> float:
        return (self.at - self.saga.since).total_seconds() if self.saga.since else 0.0

    def _wish(self, outcome: Outcome, code: str) -> None:
        """It ends once it is known what became of what it asked for; the first wish stands."""
        if self.saga.course is Course.FORWARD and self.saga.wish is None and not self.saga.ended:
            self.note(EndWished, outcome=outcome, code=code)

    def _take_back(self, name: str) -> None:
        step = next((s for s in self.definition.steps if s.name == name), None)
        if step is None or step.undo is None or name not in self.saga.done or self.saga.course is not Course.FORWARD:
            return
        self.note(StepTakenBack, step=name)
        self._dispatch(step.undo, aside=True)

    # -- going on

    def go_on(self) -> None:
        """The next step, if nothing is waited for; or the way back, or the end."""
        while not self.saga.held and not self.saga.ended and self.process.ready(self.saga):
            if self.saga.course is Course.FORWARD and self.saga.wish is not None:
                if not self._settled():
                    return
                self._turn()
            if self.saga.step is not None or self.saga.stuck:
                return
            step = self.definition.next(self.saga)
            if step is None:
                self._end()
                return
            self._dispatch(step)

    def _settled(self) -> bool:
        """Whether the outcome of all that was asked for is known. A step that failed for good has one."""
        if self.saga.asked:
            return False
        if self.saga.step is None or (self.saga.trouble is not None and self.saga.trouble.step == self.saga.step):
            return True
        step = self._step_named(self.saga.step)
        return not step.by_fact or step.known(self.saga)

    def _turn(self) -> None:
        assert self.saga.wish is not None
        over = self.definition.passed_pivot(self.saga)
        wish = self.saga.wish
        self.note(CourseChanged, course=Course.OVER if over else Course.BACK, outcome=wish.outcome, code=wish.code)

    def _end(self) -> None:
        wish = self.saga.wish
        match self.saga.course:
            case Course.FORWARD:
                outcome, code = Outcome.DONE, ""
            case Course.OVER:
                outcome, code = Outcome.HANDED_OVER, wish.code if wish else ""
            case _:
                outcome, code = (wish.outcome, wish.code) if wish else (Outcome.CANCELLED, "")
        self.note(SagaEnded, outcome=outcome, code=code)

    def _dispatch(self, step: Step, *, aside: bool = False) -> None:
        attempt = self.saga.times(step.name) + 1
        ask = step.ask(self.saga, attempt)
        plan = [s.name for s in self.definition.plan(self.saga)]
        self.note(
            CommandDispatched,
            command_id=derive("command", f"{self.saga.id}/{step.name}/{attempt}"),
            step=step.name,
            course=self.saga.course,
            number=plan.index(step.name) + 1 if step.name in plan else 1,
            of=max(len(plan), 1),
            attempt=attempt,
            path=ask.path,
            body=ask.body,
            aside=aside,
        )
        if step.timeout is not None and attempt == 1:
            self._set(f"{LATE}/{step.name}/{attempt}", self.at + step.timeout(self.saga))

    def _set(self, name: str, due_at: datetime) -> None:
        timer_id = derive("timer", f"{self.saga.id}/{self.saga.version + 1}/{name}")
        self.note(TimerSet, timer_id=timer_id, name=name, due_at=due_at)

    def _step_named(self, name: str | None) -> Step:
        found = None if name is None else self.definition.step(self.saga, name)
        if found is None:
            raise LookupError(f"{self.process.name} v{self.saga.definition} has no step {name!r} on this course")
        return found

    # -- operators

    def carry_out(self, action: ActionKind) -> None:
        match action:
            case ActionKind.PAUSE:
                return
            case ActionKind.RESUME | ActionKind.REDELIVER:
                self.go_on()
            case ActionKind.RETRY:
                if self.saga.trouble is not None:
                    self._dispatch(self._step_named(self.saga.trouble.step))
            case ActionKind.CANCEL:
                self._wish(Outcome.REJECTED, "CANCELLED_BY_OPERATOR")
                self.go_on()
            case ActionKind.RESOLVE:
                assert self.saga.trouble is not None
                self._complete(self._step_named(self.saga.trouble.step))
                self.go_on()
            case _:
                assert_never(action)
        self.offer_again()
