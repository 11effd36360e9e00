"""What a handler is: two pure functions over a command and the states it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar
from uuid import UUID

from commands.message import Command
from domain.aggregate import States
from domain.event import Event

C = TypeVar("C", bound=Command)
Ids = Callable[[], UUID]
Decision = Event | Sequence[Event] | None


class Answer(NamedTuple):
    """What the client is told of the aggregate it asked about."""

    id: UUID
    version: int
    status: str


class Handler(Generic[C]):
    """Decides one kind of command. Subclasses have no state of their own but the policies they are made with.

    `of` is the class of the aggregate that is answered about.
    """

    of: ClassVar[type[Any]]

    def needs(self, command: C, states: States) -> Iterable[UUID]:
        """The aggregates this command reads or writes, all of one context.

        Asked when the command arrives and again at decide time; what it names may grow with what `states` shows.
        """
        return (command.target,)

    def decide(self, command: C, states: States, at: datetime, ids: Ids) -> Decision:
        """The events that follow, None when there is nothing to do. Raises DomainError to refuse."""
        raise NotImplementedError

    def answer(self, command: C, states: States) -> Answer:
        """Told after the decision, on the states it led to."""
        state: Any = states[command.target, self.of]
        return Answer(state.id, state.version, state.status.name)


Handlers = dict[type[Command], Handler[Any]]
