"""What became of each step of a saga: every time its command was sent, what was answered, when it was over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.sagas.events import (
    CommandDispatched,
    Course,
    Facts,
    InputKind,
    InputReceived,
    OperatorNeeded,
    StepCompleted,
    StepFailed,
    StepTakenBack,
    TimerSet,
)
from projections.feed import Recorded

LATE = "late/"


@dataclass
class Attempt:
    """`answer` is `accepted`, `refused` with a code, or empty while there is none; `version` is the saga's then.

    `failed` says why nothing came of it, which may be known only after it was accepted.
    """

    version: int
    command_id: UUID
    at: datetime
    path: str
    body: Facts
    answered_at: datetime | None = None
    answer: str = ""
    code: str = ""
    failed: str = ""
    next_at: datetime | None = None


@dataclass
class Run:
    """A step on a course. It is over when it is completed, or when the saga turned away from it."""

    step: str
    course: Course
    attempts: list[Attempt] = field(default_factory=list)
    completed_at: datetime | None = None
    failed: str = ""
    needs_operator: bool = False
    taken_back: bool = False
    late_at: datetime | None = None

    @property
    def began_at(self) -> datetime | None:
        return self.attempts[0].at if self.attempts else None

    @property
    def took(self) -> float | None:
        """Seconds from its first command until it was completed."""
        if self.completed_at is None or self.began_at is None:
            return None
        return (self.completed_at - self.began_at).total_seconds()


def runs(recorded: Iterable[Recorded]) -> list[Run]:
    """In the order in which they began."""
    found = Runs()
    for each in recorded:
        found.take(each.event)
    return list(found.by_step.values())


class Runs:
    def __init__(self) -> None:
        self.by_step: dict[tuple[Course, str], Run] = {}
        self._attempts: dict[UUID, Attempt] = {}

    def take(self, event: Any) -> None:
        match event:
            case CommandDispatched():
                attempt = Attempt(event.originator_version, event.command_id, event.timestamp, event.path, event.body)
                self._attempts[event.command_id] = attempt
                self._run(event.course, event.step).attempts.append(attempt)
            case InputReceived(kind=InputKind.REPLY) if event.input_id in self._attempts:
                self._answered(self._attempts[event.input_id], event)
            case StepCompleted():
                self._completed(self._run(event.course, event.step), event)
            case StepFailed():
                self._failed(self._run(event.course, event.step), event)
            case OperatorNeeded():
                run = self._run(event.course, event.step)
                run.failed, run.needs_operator = event.code, True
            case StepTakenBack():
                self._run(Course.FORWARD, event.step).taken_back = True
            case TimerSet(name=name) if name.startswith(LATE):
                self._late(name.split("/")[1], event.due_at)
            case _:
                pass

    def _run(self, course: Course, step: str) -> Run:
        return self.by_step.setdefault((course, step), Run(step, course))

    def _answered(self, attempt: Attempt, event: InputReceived) -> None:
        attempt.answered_at, attempt.answer = event.timestamp, event.name
        attempt.code = str(event.facts.get("code") or event.facts.get("status") or "")

    def _completed(self, run: Run, event: StepCompleted) -> None:
        run.completed_at, run.failed, run.needs_operator, run.taken_back = event.timestamp, "", False, False

    def _failed(self, run: Run, event: StepFailed) -> None:
        run.failed = event.code
        if run.attempts:
            run.attempts[-1].failed, run.attempts[-1].next_at = event.code, event.next_at

    def _late(self, step: str, due_at: datetime) -> None:
        for run in self.by_step.values():
            if run.step == step and run.late_at is None:
                run.late_at = due_at
