"""From events to to-do rows: which events ask for work, and the consumer's sink that adds the rows.

Rows are added once, with the checkpoint. A replay has nothing to do with them, and a consumer of its own begins at the
end of the log, so that nothing of the past is done again; what an earlier position brings back (`begin`) finds its
outcome in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.event import JSON, Event
from domain.ids import derive
from projections import todo
from projections.feed import Recorded, Unreadable
from projections.model import CannotApply
from projections.pool import Connection
from projections.sink import Writing
from projections.todo import Asked

CONSUMER: Final = "todo"

BEGIN: Final = """
INSERT INTO projections.checkpoints (consumer, context, incarnation, floor, head) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
STAND_STILL: Final = "SELECT FROM projections.checkpoints WHERE (consumer, context) = (%s, %s) FOR UPDATE"
LEFT_OUT: Final = """
SELECT count(*), min(position) FROM projections.parked WHERE (consumer, context) = (%s, %s) AND position <= %s
"""
END: Final = "DELETE FROM projections.checkpoints WHERE (consumer, context) = (%s, %s)"


def nothing(event: Any) -> JSON:
    return {}


def at_once(event: Any) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class Rule:
    """An event of this type asks for work of this kind. `data` takes ids and numbers from it, `due_at` says when."""

    event: type[Event]
    kind: str
    data: Callable[[Any], JSON] = nothing
    due_at: Callable[[Any], datetime | None] = at_once


class LeavesOut(Exception):
    """What is parked would neither be done nor waited for any more."""

    def __init__(self, context: str, parked: int, first: int) -> None:
        super().__init__(
            f"{parked} sequences of {context} that may ask for work are parked, the first at position {first}:"
            f" begin before it (--from {first - 1}; what is done already is not done again), or end that first"
            " (chobo parked list)"
        )


class TodoSink:
    """One for each context: `Consumer(TodoSink(context, rules), feed, pool)`."""

    name = CONSUMER

    def __init__(self, context: str, rules: Iterable[Rule]) -> None:
        """Raises ValueError for two rules of one kind for the same event type."""
        self._context = context
        self._rules: dict[type[Event], list[Rule]] = {}
        for rule in rules:
            self._add(rule)
        self._topics = {event.TOPIC for event in self._rules}

    def _add(self, rule: Rule) -> None:
        same = self._rules.setdefault(rule.event, [])
        if any(other.kind == rule.kind for other in same):
            raise ValueError(f"two rules ask for {rule.kind} on {rule.event.TOPIC}")
        same.append(rule)

    def begin(self, batch: Sequence[Recorded]) -> Writing:
        return _Asking(self)

    def asked(self, recorded: Recorded) -> list[Asked]:
        """Raises CannotApply for an event that asks for something but cannot be read."""
        event = recorded.event
        if isinstance(event, Unreadable):
            if event.topic in self._topics:
                raise CannotApply(event.reason)
            return []
        rules = self._rules.get(type(event), ())
        return [self._row(rule, recorded, first=n == 0) for n, rule in enumerate(rules)]

    def _row(self, rule: Rule, recorded: Recorded, *, first: bool) -> Asked:
        return Asked(
            id=recorded.event_id if first else row_id(recorded.event_id, rule.kind),
            kind=rule.kind,
            context=self._context,
            subject=recorded.event.originator_id,
            data=rule.data(recorded.event),
            due_at=rule.due_at(recorded.event),
            correlation_id=recorded.correlation_id,
            causation_id=recorded.event_id,
            traceparent=recorded.traceparent,
        )


def row_id(event_id: UUID, kind: str) -> UUID:
    """Of the work that an event asks for besides that of its first rule, whose row has the event's own id."""
    return derive("to-do", f"{event_id}/{kind}")


class _Asking:
    """Needs to know nothing of what is there: a row that exists stays as it is."""

    def __init__(self, sink: TodoSink) -> None:
        self._sink = sink
        self._asked: list[Asked] = []

    async def load(self, connection: Connection) -> None:
        pass

    async def loaded(self) -> None:
        pass

    def fold(self, recorded: Recorded) -> None:
        self._asked += self._sink.asked(recorded)

    async def save(self, connection: Connection) -> None:
        await todo.add(connection, self._asked)


async def begin(connection: Connection, context: str, incarnation: UUID, head: int, consumer: str = CONSUMER) -> None:
    """A consumer without a checkpoint begins at the log's head."""
    await connection.execute(BEGIN, [consumer, context, incarnation, head, head])


async def begin_again(
    connection: Connection, context: str, incarnation: UUID, position: int, consumer: str = CONSUMER
) -> None:
    """Lets the consumer follow on after this position, as after a restore; what is parked comes again.

    In a transaction of the caller's. Raises LeavesOut when it would not.
    """
    await connection.execute(STAND_STILL, [consumer, context])
    left_out = await (await connection.execute(LEFT_OUT, [consumer, context, position])).fetchone()
    if left_out and left_out[0]:
        raise LeavesOut(context, *left_out)
    await connection.execute(END, [consumer, context])
    await connection.execute(BEGIN, [consumer, context, incarnation, position, position])
