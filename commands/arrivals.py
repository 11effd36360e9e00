"""Commands on their way into the write loop: what they need is loaded first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from commands.log import Log, Unavailable
from commands.run import NotLoaded, Waiting, fail
from commands.states import KnownStates
from domain.aggregate import States

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between tries while the database is away


class Arrivals:
    """Calls `ready(waiting)` once all that the command names is loaded, at once if it is."""

    def __init__(
        self,
        known: KnownStates,
        log: Log,
        ready: Callable[[Waiting], None],
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._known = known
        self._log = log
        self._ready = ready
        self._start = start
        self._view = States(self._loaded)
        self._arriving: set[Waiting] = set()

    def __len__(self) -> int:
        return len(self._arriving)

    def admit(self, waiting: Waiting) -> None:
        if self._lacks_something(waiting):
            self.load(waiting)
        else:
            self._ready(waiting)

    def load(self, waiting: Waiting, *also: UUID, owner: UUID | None = None) -> None:
        """`also` are aggregates, `owner` is a user whose key it turned out to need."""
        self._arriving.add(waiting)
        self._start(self._arrive(waiting, also, owner))

    def expire(self, now: float) -> None:
        """Tells those past their deadline that nothing of theirs was written."""
        for waiting in [w for w in self._arriving if w.deadline < now]:
            fail(waiting, Unavailable("what the command needs could not be read before its deadline"))

    async def _arrive(self, waiting: Waiting, also: tuple[UUID, ...], owner: UUID | None) -> None:
        try:
            if owner is not None:
                await self._keep_trying(waiting, lambda: self._log.fetch_keys({owner}))
            missing = True
            while missing and not waiting.answer.done():
                await self._keep_trying(waiting, lambda: self._known.load((*waiting.needs, *also)))
                missing = self._lacks_something(waiting)
        except Exception as error:  # noqa: BLE001  # it is raised to who sent the command
            fail(waiting, error)
        finally:
            self._arriving.discard(waiting)
        self._ready(waiting)

    async def _keep_trying(self, waiting: Waiting, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """While the database is away, until the command is given up."""
        pause = FIRST_PAUSE
        while not waiting.answer.done():
            try:
                await work()
            except Unavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return

    def _lacks_something(self, waiting: Waiting) -> bool:
        """Asks what the command needs, as far as that can be told from what is loaded."""
        try:
            waiting.needs = tuple(waiting.handler.needs(waiting.envelope.command, self._view))
        except NotLoaded as missing:
            waiting.needs = (missing.id,)
        except Exception as error:  # noqa: BLE001  # it is raised to who sent the command
            fail(waiting, error)
            return False
        return not self._known.has_all(waiting.needs)

    def _loaded(self, id: UUID) -> Any:
        if id not in self._known:
            raise NotLoaded(id)
        return self._known[id]
