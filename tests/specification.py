"""given(events).when(decision, ...).then(events): the form in which aggregates are specified.

A `Specification` is made once for each aggregate with its `evolve`; `when` calls a decision on the state the given
events lead to, with `at` filled in; `then` compares the events it returned, leaving out identity and time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard
from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.event import Event

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IDENTITY = {"originator_id", "originator_version", "timestamp"}

Make = Callable[[UUID, int], Event]
"""An event but for its identity: called with the aggregate's id and the version it gets."""


def a(event: type[Event], at: datetime = AT, **fields: Any) -> Make:
    """An event of the given fields, to be numbered by `given`."""
    return lambda id, version: event(originator_id=id, originator_version=version, timestamp=at, **fields)


@dataclass(frozen=True)
class When:
    decide: Callable[[], Any]

    def then(self, *expected: Event | type[Event] | Make) -> list[Event]:
        """The decision's events are these. A class stands for any event of it; no arguments: nothing happened."""
        happened = as_list(self.decide())
        wanted = [
            e(h.originator_id, h.originator_version) if _is_make(e) else e
            for e, h in zip(expected, happened, strict=True)
        ]
        for e, h in zip(wanted, happened, strict=True):
            if isinstance(e, type):
                assert isinstance(h, e)
            else:
                assert type(h) is type(e)
                assert h.model_dump(exclude=IDENTITY) == e.model_dump(exclude=IDENTITY)
        return happened

    def refused(self, error: type[DomainError], **facts: Any) -> DomainError:
        with pytest.raises(error) as caught:
            self.decide()
        for name, value in facts.items():
            assert caught.value.facts[name] == value, f"{name} is {caught.value.facts[name]}"
        return caught.value


@dataclass(frozen=True)
class Given:
    state: Any

    def when(self, decision: Callable[..., Any], *args: Any, at: datetime = AT, **kwargs: Any) -> When:
        return When(lambda: decision(self.state, *args, at=at, **kwargs))


@dataclass(frozen=True)
class Specification:
    id: UUID
    evolve: Callable[[Any, Any], Any]

    def given(self, *history: Make) -> Given:
        state = None
        for version, make in enumerate(history, 1):
            state = self.evolve(state, make(self.id, version))
        return Given(state)


def as_list(decision: Any) -> list[Event]:
    if decision is None:
        return []
    if isinstance(decision, Event):
        return [decision]
    return list(decision)


def fold(evolve: Callable[[Any, Any], Any], state: Any, events: Iterable[Event]) -> Any:
    for event in events:
        state = evolve(state, event)
    return state


def _is_make(e: Event | type[Event] | Make) -> TypeGuard[Make]:
    return callable(e) and not isinstance(e, type)
