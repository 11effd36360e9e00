"""Folding events into states, and the table that says which fold belongs to which events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, overload
from uuid import UUID

from domain.errors import NotFound
from domain.event import Event


class State(Protocol):
    """An aggregate's state: immutable, so it can be cached, shared, and folded to any past version."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def status(self) -> Any: ...


Fold = Callable[[Any, Any], Any]
S = TypeVar("S")


@dataclass(frozen=True)
class Context:
    """A bounded context: its name, and `evolve` for each of its event bases (`{OrderEvent: evolve}`).

    `snapshots` are the state classes whose streams may become long enough to keep snapshots of.
    """

    name: str
    folds: Mapping[type[Event], Fold]
    snapshots: tuple[type[Any], ...] = ()
    _by_class: dict[type[Event], Fold] = field(default_factory=dict, repr=False, compare=False)

    def evolve(self, state: Any, event: Event) -> Any:
        fold = self._by_class.get(type(event)) or self.fold_of(type(event))
        return fold(state, event)

    def fold_of(self, cls: type[Event]) -> Fold:
        fold = self._by_class.get(cls)
        if fold is None:
            fold = self._by_class[cls] = next(f for base, f in self.folds.items() if issubclass(cls, base))
        return fold

    def fold(self, state: Any, events: Iterable[Event]) -> Any:
        for event in events:
            state = self.evolve(state, event)
        return state


class States:
    """The states a command sees: `states[id, Order]` must exist, `states.get(id, Order)` may be None.

    An id that belongs to another kind of aggregate is as good as none.
    """

    __slots__ = ("_lookup",)

    def __init__(self, lookup: Callable[[UUID], Any]) -> None:
        """`lookup(id)` gives the state, or None if the aggregate has no events."""
        self._lookup = lookup

    def look_up(self, id: UUID) -> Any:
        return self._lookup(id)

    def __getitem__(self, key: tuple[UUID, type[S]]) -> S:
        id, kind = key
        state = self.look_up(id)
        if not isinstance(state, kind):
            raise NotFound(kind.__name__.lower(), id)
        return state

    @overload
    def get(self, id: UUID, kind: type[S]) -> S | None: ...
    @overload
    def get(self, id: UUID) -> Any: ...
    def get(self, id: UUID, kind: Any = None) -> Any:
        """The state or None. Without a kind: whatever has this id, for 'is it taken?'."""
        state = self.look_up(id)
        return state if kind is None or isinstance(state, kind) else None
