"""Write loop and log as seen from outside: the same ports, counting what passes through."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from commands.log import Appended, Batch, Log, Unavailable
from commands.reply import Envelope, OutcomeUnknown, Overloaded, Reply
from commands.services import Loop
from domain.aggregate import States
from infra.telemetry.metrics import Metrics
from infra.telemetry.tracing import Tracing

FAILED: Final = {OutcomeUnknown: "unknown", Overloaded: "overloaded", Unavailable: "unavailable"}
"""What a command that gets no reply is counted as; anything else it ends with is `failed`."""


class CountedLoop:
    """Counts each command by its outcome: accepted, refused, replayed, or why there is none."""

    def __init__(self, context: str, loop: Loop, metrics: Metrics) -> None:
        self._context = context
        self._loop = loop
        self._commands = metrics.commands
        self._series: dict[tuple[type, str], Any] = {}

    async def states(self, ids: Iterable[UUID]) -> States:
        return await self._loop.states(ids)

    async def submit(self, envelope: Envelope) -> Reply:
        try:
            reply = await self._loop.submit(envelope)
        except Exception as error:
            self._count(envelope, FAILED.get(type(error), "failed"))
            raise
        self._count(envelope, outcome(reply))
        return reply

    def _count(self, envelope: Envelope, what: str) -> None:
        key = type(envelope.command), what
        if (series := self._series.get(key)) is None:
            series = self._series[key] = self._commands.labels(self._context, key[0].__name__, what)
        series.inc()


def outcome(reply: Reply) -> str:
    if reply.replayed:
        return "replayed"
    return "accepted" if reply.refusal is None else "refused"


class TimedLog:
    """Times each append and, where its commands are traced, records it in their traces."""

    def __init__(self, context: str, log: Log, metrics: Metrics, tracing: Tracing | None) -> None:
        self._context = context
        self._log = log
        self._tracing = tracing
        self._seconds = metrics.append_seconds.labels(context)
        self._commands = metrics.append_commands.labels(context)
        self._events = metrics.appended.labels(context)
        self._stale = metrics.stale.labels(context)
        # straight through: some of these are called for every event
        self.encode, self.kept, self.load = log.encode, log.kept, log.load
        self.fetch_keys, self.reply = log.fetch_keys, log.reply

    async def append(self, batch: Batch, deadline: float) -> Appended:
        began = time.time_ns()
        appended = await self._log.append(batch, deadline)
        ended = time.time_ns()
        self._seconds.observe((ended - began) / 1e9)
        self._commands.observe(len(batch.units))
        written = sum(len(unit.events) for unit in batch.units if unit.component not in appended.stale)
        self._events.inc(written)
        if appended.stale:
            self._stale.inc(sum(unit.component in appended.stale for unit in batch.units))
        if self._tracing is not None:
            traced = (unit.envelope.traceparent for unit in batch.units if unit.component not in appended.stale)
            self._tracing.record(f"append {self._context}", traced, began, ended, commands=len(batch.units))
        return appended
