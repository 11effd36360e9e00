"""Folding a batch of events into the rows they touch, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from projections.feed import Recorded
from projections.model import Model, Projector

Touched = list[tuple[Projector[Any], UUID]]
Rows = dict[Projector[Any], dict[UUID, Any]]


@dataclass(frozen=True, slots=True)
class Stuck:
    """The event that could not be applied, and why."""

    recorded: Recorded
    reason: str

    def __str__(self) -> str:
        event, position = self.recorded.event, self.recorded.position
        topic = getattr(event, "topic", "") or event.TOPIC
        return (
            f"event {position} ({topic}, {event.originator_id} version {event.originator_version})"
            f" cannot be applied: {self.reason}"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rows each event touches, up to the first event of which that cannot even be said."""

    steps: Sequence[tuple[Recorded, Touched]]
    stuck: Stuck | None

    def beyond(self, done: Callable[[int], int]) -> Plan:
        """Without the events up to the position `done` says for their slice."""
        steps = [step for step in self.steps if step[0].position > done(step[0].slice)]
        stuck = self.stuck
        return Plan(steps, stuck if stuck and stuck.recorded.position > done(stuck.recorded.slice) else None)

    def ids(self) -> Mapping[Projector[Any], set[UUID]]:
        wanted: dict[Projector[Any], set[UUID]] = defaultdict(set)
        for _, touched in self.steps:
            for projector, id in touched:
                wanted[projector].add(id)
        return wanted


@dataclass(frozen=True, slots=True)
class Folded:
    """The rows that changed, and the event at which folding stopped, if it did: nothing of it is in the rows."""

    changed: Rows
    stuck: Stuck | None


def plan(model: Model, batch: Iterable[Recorded]) -> Plan:
    steps: list[tuple[Recorded, Touched]] = []
    for recorded in batch:
        try:
            steps.append((recorded, model.touched(recorded.event)))
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, the event waits and is named
            return Plan(steps, Stuck(recorded, told(error)))
    return Plan(steps, None)


def fold(plan: Plan, rows: Rows) -> Folded:
    """Folds the planned events, in order, into `rows`, which hold those that existed and are left as they are."""
    changed: Rows = defaultdict(dict)
    for recorded, touched in plan.steps:
        try:
            after = [(projector, id, _after(rows, changed, projector, id, recorded)) for projector, id in touched]
        except Exception as error:  # noqa: BLE001  # the same for whatever a projector raises
            return Folded(changed, Stuck(recorded, told(error)))
        for projector, id, row in after:
            changed[projector][id] = row
    return Folded(changed, plan.stuck)


def told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _after(rows: Rows, changed: Rows, projector: Projector[Any], id: UUID, recorded: Recorded) -> Any:
    row = changed[projector].get(id)
    if row is None:
        row = rows[projector].get(id)
    return projector.apply(row, recorded)
