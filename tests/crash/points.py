"""Points between two durable steps of one process, and a process that dies at one of them as by a power cut."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from commands.log import Appended, Batch
from commands.payments.gateway import Answer, Authorise, Capture, Refund, Void
from infra.assembly import doing
from infra.event_log.log import EventLog
from infra.gateway.stripe import StripeGateway
from projections.checkpoint import Checkpoint, Checkpoints, Moving, Progress
from projections.consumer import Consumer
from projections.doing import Later, Outcome, Worker
from projections.feed import Batch as Stretch
from projections.pool import Connection
from projections.todo import Work

DIED: Final = 86  # exit code


@dataclass(frozen=True, slots=True)
class Point:
    """The `nth` time, from 1, that a process comes by here."""

    label: str
    nth: int


class Points:
    """Once it is armed, what is passed is kept in order; at `fatal` the process ends without any farewell."""

    def __init__(self) -> None:
        self.passed: list[Point] = []
        self._counts: Counter[str] = Counter()
        self._fatal: Point | None = None
        self._armed = False

    def arm(self, fatal: Point | None) -> None:
        self._armed, self._fatal = True, fatal
        self.passed.clear()
        self._counts.clear()

    def at(self, label: str) -> None:
        if not self._armed:
            return
        self._counts[label] += 1
        self.passed.append(point := Point(label, self._counts[label]))
        if point == self._fatal:
            os._exit(DIED)


class MortalGateway(StripeGateway):
    """After each answer, before anybody has made a note of it."""

    def __init__(self, points: Points, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._points = points

    async def authorise(self, request: Authorise) -> Answer:
        return self._answered("authorise", await super().authorise(request))

    async def capture(self, request: Capture) -> Answer:
        return self._answered("capture", await super().capture(request))

    async def void(self, request: Void) -> Answer:
        return self._answered("void", await super().void(request))

    async def refund(self, request: Refund) -> Answer:
        return self._answered("refund", await super().refund(request))

    def _answered(self, asked: str, answer: Answer) -> Answer:
        self._points.at(f"the gateway answered {asked}")
        return answer


def mortal(points: Points, *, lease: float) -> None:
    """Of this process, from now on: its logs, to-do workers and consumers. `lease` in seconds, so that others need not
    wait long for what it leaves behind."""
    mortal_log(points)
    mortal_worker(points)
    mortal_consumer(points)
    doing.Worker = partial(Worker, lease=lease)  # type: ignore[assignment, attr-defined]


def mortal_log(points: Points) -> None:
    append = EventLog.append

    async def appends(self: EventLog, batch: Batch, deadline: float) -> Appended:
        appended = await append(self, batch, deadline)
        points.at(f"appended to {self.context.name}")
        return appended

    EventLog.append = appends  # type: ignore[method-assign]


def mortal_worker(points: Points) -> None:
    begin, write = Worker._begin, Worker._write

    def begins(self: Worker, held: Any) -> None:
        points.at(f"leased {held.work.kind}")
        begin(self, held)

    async def writes(self: Worker, work: Work, said: Outcome | Later) -> bool:
        points.at(f"closing {work.kind}")
        closed = await write(self, work, said)
        points.at(f"closed {work.kind}")
        return closed

    Worker._begin = begins  # type: ignore[method-assign]
    Worker._write = writes  # type: ignore[method-assign]


def mortal_consumer(points: Points) -> None:
    """`moving` is before the commit: nothing of it happened. Of who follows what nobody writes to nothing is told."""
    move, applied = Checkpoints.move, Consumer._applied

    async def moves(self: Checkpoints, connection: Connection, old: Checkpoint, to: Progress) -> Moving:
        moving = await move(self, connection, old, to)
        points.at(f"moving {self.consumer} in {self.context}")
        return moving

    async def applies(self: Consumer, checkpoint: Checkpoint, batch: Stretch, until: float) -> Checkpoint:
        moved = await applied(self, checkpoint, batch, until)
        points.at(f"moved {self.name} in {self.health.context}")
        return moved

    Checkpoints.move = moves  # type: ignore[method-assign]
    Consumer._applied = applies  # type: ignore[method-assign]


def spread(points: Sequence[Point]) -> list[str]:
    return [f"{point.label} ({point.nth})" for point in points]
