"""A process: its definitions, what it hears of other contexts, and what each of these facts means to it.

checkout = Process("checkout", {1: CHECKOUT})

@checkout.hears(OrderPlaced, saga=of_order)
def placed(event: OrderPlaced) -> Placed: ...

@checkout.on(Declined)
def declined(saga: Saga, fact: Declined) -> Means: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from domain.event import Event
from domain.ids import SagaId
from domain.sagas.events import Facts
from domain.sagas.facts import Fact
from domain.sagas.saga import Input, Saga
from sagas.definition import Definition, Means, Verdict

E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Fact)

Heard = Callable[[Any], Fact | None]
Meaning = Callable[[Saga, Any], Means]


@dataclass(frozen=True, slots=True)
class Hearing:
    """How an event of another context reaches the process. `opens`: it may be the first that an instance hears."""

    process: str
    saga: Callable[[Any], SagaId]
    key: Callable[[Any], UUID]
    fact: Heard
    opens: bool


class Process:
    """It begins with its first step once all the facts of `starts` are known; until then it keeps the others."""

    def __init__(self, name: str, definitions: Mapping[int, Definition], *, starts: Sequence[type[Fact]]) -> None:
        self.name = name
        self.definitions = dict(definitions)
        self.hearings: dict[type[Event], list[Hearing]] = {}
        self._starts = frozenset(fact.NAME for fact in starts)
        self._facts: dict[str, type[Fact]] = {fact.NAME: fact for fact in starts}
        self._on: dict[type[Fact], Meaning] = {}
        self._timers: dict[str, Callable[[Saga], Means]] = {}

    @property
    def newest(self) -> int:
        return max(self.definitions)

    def ready(self, saga: Saga) -> bool:
        return all(name in saga.known for name in self._starts)

    def hears(
        self,
        event: type[E],
        *,
        saga: Callable[[E], SagaId],
        key: Callable[[E], UUID] | None = None,
        opens: bool = True,
    ) -> Callable[[Callable[[E], F | None]], Callable[[E], F | None]]:
        """The decorated function takes from the event what the process needs; None if it does not concern it.

        `key` is what the instance is looked up by; where several contexts may open it, all must give the same.
        """

        def register(function: Callable[[E], F | None]) -> Callable[[E], F | None]:
            heard = Hearing(self.name, saga, key or id_of, function, opens)
            self.hearings.setdefault(event, []).append(heard)
            return function

        return register

    def on(self, *facts: type[F]) -> Callable[[Callable[[Saga, F], Means]], Callable[[Saga, F], Means]]:
        """The decorated function says what these facts mean to a saga as it stands."""

        def register(function: Callable[[Saga, F], Means]) -> Callable[[Saga, F], Means]:
            for fact in facts:
                if self._on.setdefault(fact, function) is not function:
                    raise TypeError(f"{self.name} has a function for {fact.NAME} already")
                self._facts[fact.NAME] = fact
            return function

        return register

    def when(self, timer: str) -> Callable[[Callable[[Saga], Means]], Callable[[Saga], Means]]:
        """The decorated function says what it means that this timer has run out."""

        def register(function: Callable[[Saga], Means]) -> Callable[[Saga], Means]:
            self._timers[timer] = function
            return function

        return register

    def means(self, saga: Saga, input: Input) -> Means:
        """Raises KeyError for a fact that no process of this release knows: it is parked."""
        kind = self._facts[input.name]
        if not self.ready(saga) and input.name not in self._starts:
            return Verdict.NOT_YET
        meaning = self._on.get(kind)
        return Verdict.NOTHING if meaning is None else meaning(saga, kind.model_validate(input.facts))

    def means_timer(self, saga: Saga, name: str) -> Means:
        meaning = self._timers.get(name)
        return Verdict.NOTHING if meaning is None else meaning(saga)


def told(fact: Fact) -> Facts:
    """As it is stored."""
    facts: Facts = fact.model_dump(mode="json")
    return facts


def id_of(event: Event) -> UUID:
    return event.originator_id
