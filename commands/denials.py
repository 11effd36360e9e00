"""Keeps for the audit log who was not allowed what. Nobody can make it write without end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from commands.log import Unavailable
from commands.message import Command
from commands.reply import Envelope, OutcomeUnknown, Overloaded
from commands.route import Resource, Route
from commands.services import Loop, Services
from commands.trace import Trace
from domain.actor import ANONYMOUS, Actor

MOST: Final = 100  # of one actor within an hour, in this process
DEADLINE: Final = 2.0  # seconds: the answer does not wait longer for its record

OPERATIONS: Final = "operations"

log: Final = logging.getLogger("chobo.commands.denials")


class Denials:
    """Records what is denied to somebody with a good token; who has none leaves no trace here.

    That it could not be recorded is logged and changes nothing for who asked: they are refused all the same.
    """

    def __init__(self, loops: Mapping[str, Loop], services: Services) -> None:
        self._loops = loops
        self._now = services.now
        self._hour: datetime | None = None
        self._counts: Counter[str] = Counter()

    async def record(self, row: Route | Resource, actor: Actor, id: UUID | None, trace: Trace) -> None:
        if actor is ANONYMOUS or not isinstance(row, Route) or row.denied is None:
            return
        await self.keep(row.denied(row, actor, id, self._now()), actor, trace)

    async def keep(self, denial: Command, actor: Actor, trace: Trace) -> None:
        """In the log of operations, whatever context it was about."""
        if self._too_many(actor, self._now()):
            return
        command = denial.bind(by=actor)
        envelope = Envelope(command, trace.correlation_id, traceparent=trace.traceparent, deadline=DEADLINE)
        try:
            await self._loops[OPERATIONS].submit(envelope)
        except (Overloaded, OutcomeUnknown, Unavailable) as error:
            log.warning("not recorded that %s was denied something: %s: %s", actor, denial, error)

    def _too_many(self, actor: Actor, now: datetime) -> bool:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._counts = hour, Counter()
        self._counts[str(actor)] += 1
        if self._counts[str(actor)] == MOST + 1:
            log.warning("%s is denied things all the time: no more of it is recorded this hour", actor)
        return self._counts[str(actor)] > MOST
