"""What follows from an input, whatever the process: with one made up for the purpose, of two steps and a fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.event import Event
from domain.ids import SagaId, new_id
from domain.sagas.errors import ActionNotPossible
from domain.sagas.events import (
    ActionKind,
    CommandDispatched,
    Course,
    InputKind,
    InputReceived,
    Outcome,
    SagaParked,
    StepFailed,
    TimerSet,
)
from domain.sagas.facts import Fact
from domain.sagas.saga import ACCEPTED, REFUSED, Input, Saga, Status, evolve
from projections.retry import RetryPolicy
from sagas.definition import Ask, Completes, Definition, GoBack, Means, Step, Then
from sagas.engine import Engine
from sagas.explain import explained
from sagas.process import Process
from sagas.what_if import what_if

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID, KEY = SagaId(UUID(int=1)), UUID(int=2)


class Begun(Fact):
    NAME = "begun"


class Painted(Fact):
    NAME = "painted"


class Odd(Fact):
    NAME = "odd"


class Stopped(Fact):
    NAME = "stopped"


def ask(path: str) -> Any:
    return lambda _saga, _attempt: Ask(path)


ONCE_MORE = RetryPolicy(first=10, longest=10, attempts=2)

BUILD = Step(
    "build",
    ask("/v1/build"),
    undo=Step("tear down", ask("/v1/tear-down")),
    refused={"BUSY": Then.TRY_AGAIN, "DONE_ALREADY": Then.GO_ON},
    retry=ONCE_MORE,
    unlisted=GoBack(Outcome.REJECTED, "NO_GOOD"),
)
PAINT = Step("paint", ask("/v1/paint"), by_fact=True, timeout=lambda _: timedelta(hours=1), late=Then.OPERATOR)
SELL = Step("sell", ask("/v1/sell"), pivot=True)
SHIP = Step("ship", ask("/v1/ship"))
CLOSE = Step("close", ask("/v1/close"))
FIRST = Definition(1, [BUILD, PAINT, SELL, SHIP], close=CLOSE, over=[Step("pass on", ask("/v1/pass-on"))])


def process(*versions: Definition) -> Process:
    made = Process("house", {each.version: each for each in versions or (FIRST,)}, starts=[Begun])

    @made.on(Painted)
    def painted(saga: Saga, fact: Painted) -> Means:
        return Completes("paint")

    @made.on(Stopped)
    def stopped(saga: Saga, fact: Stopped) -> Means:
        return GoBack(Outcome.CANCELLED, "STOPPED")

    @made.on(Odd)
    def odd(saga: Saga, fact: Odd) -> Means:
        raise ArithmeticError("the rules do not know what to make of it")

    return made


class Instance:
    """One saga and all that happened to it."""

    def __init__(self, *versions: Definition) -> None:
        self.process = process(*versions)
        self.engine = Engine({"house": self.process})
        self.saga: Any = None
        self.events: list[Any] = []
        self.at = AT

    def hear(self, input: Input) -> list[Event]:
        return self._happened(self.engine.react(self.saga, ID, "house", KEY, input, self.at))

    def fact(self, fact: Fact, id: UUID | None = None) -> list[Event]:
        return self.hear(Input(id or new_id(), InputKind.FACT, fact.NAME, fact.model_dump(mode="json")))

    def reply(self, code: str = "") -> list[Event]:
        """To the newest command."""
        facts: Any = {"code": code, "detail": "so it is"} if code else {}
        return self.hear(Input(self.dispatched[-1].command_id, InputKind.REPLY, REFUSED if code else ACCEPTED, facts))

    def ring(self) -> list[Event]:
        """The newest timer."""
        timer = [e for e in self.events if isinstance(e, TimerSet)][-1]
        self.at = max(self.at, timer.due_at)
        return self.hear(Input(timer.timer_id, InputKind.TIMER, timer.name, {}))

    def act(self, action: ActionKind) -> list[Event]:
        return self._happened(self.engine.act(self.saga, action, new_id(), None, "because", self.at))

    def _happened(self, events: Any) -> list[Event]:
        for event in events:
            self.saga = evolve(self.saga, event)
        self.events += events
        return list(events)

    @property
    def status(self) -> str:
        return str(self.saga.status)

    @property
    def dispatched(self) -> list[CommandDispatched]:
        return [e for e in self.events if isinstance(e, CommandDispatched)]

    @property
    def paths(self) -> list[str]:
        return [e.path for e in self.dispatched]


@pytest.fixture
def house() -> Instance:
    return Instance()


def test_one_step_after_the_other_to_the_end(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply()
    assert house.saga.step == "paint", "its reply says only that it was begun"
    house.fact(Painted())
    house.reply()
    house.reply()
    assert house.paths == ["/v1/build", "/v1/paint", "/v1/sell", "/v1/ship"]
    assert house.saga.outcome is Outcome.DONE


def test_what_comes_twice_counts_once(house: Instance):
    begun = new_id()
    assert house.fact(Begun(), begun)
    assert house.fact(Begun(), begun) == []
    house.reply()
    assert house.hear(Input(house.dispatched[0].command_id, InputKind.REPLY, ACCEPTED, {})) == []


def test_what_comes_too_early_waits_and_is_used_in_its_time(house: Instance):
    house.fact(Painted())
    assert house.saga.inbox
    assert house.paths == []
    house.fact(Begun())
    assert not house.saga.inbox


def test_commands_have_ids_of_their_own_that_are_the_same_each_time():
    one, other = Instance(), Instance()
    for each in (one, other):
        each.fact(Begun())
        each.reply()
    assert [e.command_id for e in one.dispatched] == [e.command_id for e in other.dispatched]
    assert len({e.command_id for e in one.dispatched}) == 2


def test_what_is_busy_is_tried_again_and_then_given_up(house: Instance):
    house.fact(Begun())
    house.reply("BUSY")
    failed = house.events[-2]
    assert isinstance(failed, StepFailed)
    assert failed.next_at is not None
    assert AT + timedelta(seconds=5) <= failed.next_at <= AT + timedelta(seconds=10)
    house.ring()
    assert house.paths == ["/v1/build", "/v1/build"]
    house.reply("BUSY")
    assert house.saga.status is Status.STUCK


def test_a_timer_of_a_step_that_is_over_means_nothing(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply()
    house.fact(Painted())
    before = house.saga.step
    house.ring()
    assert house.saga.step == before
    assert house.saga.status is Status.RUNNING


def test_a_step_that_takes_too_long_leads_where_its_definition_says(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply()
    house.ring()
    assert house.saga.status is Status.STUCK
    assert house.saga.trouble.code == "TIMED_OUT"


def test_before_the_pivot_it_goes_back_over_what_was_begun_and_closes(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply()
    house.fact(Stopped())
    assert house.paths[-1] == "/v1/tear-down"
    assert house.saga.status is Status.COMPENSATING
    house.reply()
    house.reply()
    assert house.paths[-1] == "/v1/close"
    assert house.saga.outcome is Outcome.CANCELLED


def test_nothing_is_undone_while_an_answer_is_still_to_come(house: Instance):
    house.fact(Begun())
    house.fact(Stopped())
    assert house.paths == ["/v1/build"]
    assert "once every answer is known" in explained(house.saga, FIRST, house.at).sentence
    house.reply()
    assert house.paths == ["/v1/build", "/v1/tear-down"]


def test_after_the_pivot_it_is_passed_on(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply()
    house.fact(Painted())
    house.reply()
    house.fact(Stopped())
    assert house.paths[-1] == "/v1/ship", "nothing new is begun"
    house.reply()
    assert house.paths[-1] == "/v1/pass-on"
    house.reply()
    assert house.saga.outcome is Outcome.HANDED_OVER


def test_a_compensation_that_fails_is_a_state_of_its_own(house: Instance):
    house.fact(Begun())
    house.reply("UNHEARD_OF")
    house.reply("UNHEARD_OF_TOO")
    assert house.saga.status is Status.COMPENSATION_FAILED
    house.act(ActionKind.RETRY)
    assert house.paths == ["/v1/build", "/v1/tear-down", "/v1/tear-down"]
    house.reply("STILL_NOT")
    house.act(ActionKind.RESOLVE)
    assert house.paths[-1] == "/v1/close"


def test_rules_that_fail_park_the_saga_and_lose_nothing(house: Instance):
    house.fact(Begun())
    odd = new_id()
    house.fact(Odd(), odd)
    assert house.status == "PARKED"
    assert isinstance(house.events[-1], SagaParked)
    assert "ArithmeticError: the rules do not know" in house.events[-1].error
    house.reply()
    assert house.paths == ["/v1/build"], "all of it waits"
    mended = house.process._on
    mended[Odd] = lambda _saga, _fact: Completes("nothing of ours")
    house.act(ActionKind.RETRY)
    assert house.status == "RUNNING"
    assert house.paths == ["/v1/build", "/v1/paint"]
    assert not house.saga.inbox


def test_an_instance_ends_by_the_rules_it_began_with():
    second = Definition(2, [SELL, SHIP])
    house = Instance(FIRST)
    house.fact(Begun())
    house.process.definitions[2] = second
    house.reply()
    assert house.paths == ["/v1/build", "/v1/paint"]
    newer = Instance(FIRST, second)
    newer.fact(Begun())
    assert newer.saga.definition == 2
    assert newer.paths == ["/v1/sell"]


def test_a_paused_saga_takes_in_what_comes_and_goes_on_where_it_was(house: Instance):
    house.fact(Begun())
    house.act(ActionKind.PAUSE)
    house.reply()
    assert house.paths == ["/v1/build"]
    assert isinstance(house.events[-1], InputReceived)
    assert not house.events[-1].used
    house.act(ActionKind.RESUME)
    assert house.paths == ["/v1/build", "/v1/paint"]


@pytest.mark.parametrize(
    "action, why",
    [
        (ActionKind.RETRY, "nothing has failed"),
        (ActionKind.RESUME, "it is not paused"),
        (ActionKind.RESOLVE, "it is not stuck"),
        (ActionKind.REDELIVER, "nothing waits in its inbox"),
    ],
)
def test_an_action_that_would_do_nothing_is_refused_with_the_reason(house: Instance, action: ActionKind, why: str):
    house.fact(Begun())
    with pytest.raises(ActionNotPossible, match=why):
        house.act(action)


def test_after_the_pivot_an_operator_cannot_cancel_the_saga(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply()
    house.fact(Painted())
    house.reply()
    with pytest.raises(ActionNotPossible, match="the pivot is passed"):
        house.act(ActionKind.CANCEL)


def test_what_an_action_would_cause_is_told_and_nothing_is_done(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply("UNHEARD_OF")
    before = house.saga
    would = what_if(house.engine, house.saga, ActionKind.RETRY, house.at)
    assert [each.path for each in would.commands] == ["/v1/paint"]
    assert would.then == ["sell", "ship"]
    assert house.saga is before


def test_what_if_says_what_the_action_then_does(house: Instance):
    house.fact(Begun())
    house.reply()
    house.reply("UNHEARD_OF")
    would = what_if(house.engine, house.saga, ActionKind.RETRY, house.at)
    sent = len(house.dispatched)
    house.act(ActionKind.RETRY)
    assert [e.path for e in house.dispatched[sent:]] == [e.path for e in would.commands]


def test_it_says_in_words_where_it_stands(house: Instance):
    house.fact(Begun())
    house.reply("BUSY")
    said = explained(house.saga, FIRST, house.at + timedelta(seconds=1))
    assert "It is at “build”, begun 1 s ago." in said.sentence
    assert "That met BUSY: so it is." in said.sentence
    assert said.waits_for == "its next try"
    assert said.next_step == "paint"
    assert [step.state for step in said.steps] == ["CURRENT", "TO_COME", "TO_COME", "TO_COME"]
    assert house.saga.course is Course.FORWARD
