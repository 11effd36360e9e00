"""The smallest context there is: counters that are counted up and moved between. For measuring and testing the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import ClassVar, Final
from uuid import UUID

from commands.handler import Decision, Handler, Handlers, Ids
from commands.message import Command
from domain.aggregate import Context, States
from domain.errors import DomainError
from domain.event import Event, after, first


class CounterEvent(Event, frozen=True):
    """Base of what happens to a counter."""


class Counted(CounterEvent):
    TOPIC: ClassVar[str] = "counters.counted"
    by: int
    note: str = ""


class Status(Enum):
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Counter:
    id: UUID
    version: int
    total: int
    status: Status = Status.OPEN


class BelowZero(DomainError):
    code = "COUNTER_BELOW_ZERO"
    title = "The counter would go below zero"


def evolve(counter: Counter | None, event: CounterEvent) -> Counter:
    assert isinstance(event, Counted)
    if counter is None:
        return Counter(event.originator_id, event.originator_version, event.by)
    return Counter(counter.id, event.originator_version, counter.total + event.by)


COUNTERS: Final = Context("counters", {CounterEvent: evolve}, snapshots=(Counter,))


class CountUp(Command):
    amount: int = 1
    note: str = ""


class Move(Command):
    """Takes one from each of the sources and adds it to the target; refused if any would go below zero."""

    sources: tuple[UUID, ...]


def count(counter: Counter | None, id: UUID, by: int, note: str, at: datetime) -> Counted:
    total = counter.total if counter else 0
    if total + by < 0:
        raise BelowZero(f"{id} is at {total}", total=total)
    return Counted(**(after(counter, at) if counter else first(id, at)), by=by, note=note)


class Counts(Handler[CountUp]):
    of = Counter

    def decide(self, command: CountUp, states: States, at: datetime, ids: Ids) -> Decision:
        return count(states.get(command.target, Counter), command.target, command.amount, command.note, at)


class Moves(Handler[Move]):
    of = Counter

    def needs(self, command: Move, states: States) -> Iterable[UUID]:
        return (command.target, *command.sources)

    def decide(self, command: Move, states: States, at: datetime, ids: Ids) -> Decision:
        taken = [count(states.get(id, Counter), id, -1, "", at) for id in command.sources]
        return [*taken, count(states.get(command.target, Counter), command.target, len(taken), "", at)]


HANDLERS: Final[Handlers] = {CountUp: Counts(), Move: Moves()}
