"""What many pages look at together: it is looked up once for all of them, and again when it is too old."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar, cast

log: Final = logging.getLogger("chobo.dashboard")

T = TypeVar("T")

MOST: Final = 100  # things kept


class Shared:
    """Kept by name. Who asks while it is being looked up waits for that very answer.

    `stale`: who asks for what is too old gets that, once more, and it is looked up behind their back: nobody waits for
    what takes long and changes slowly, but those who ask first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, stale: bool = False) -> None:
        self._clock = clock
        self._stale = stale
        self._again: dict[Hashable, asyncio.Task[Any]] = {}
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._found: dict[Hashable, tuple[float, Any]] = {}

    async def of(self, name: Hashable, lasts: float, look: Callable[[], Awaitable[T]]) -> T:
        """Not older than `lasts` seconds, as a rule. What `look` raises is raised to whoever asks and waits."""
        if self._stale and name in self._found:
            return cast(T, self._kept(name, lasts, look))
        async with self._locks[name]:
            at, found = self._found.get(name, (float("-inf"), None))
            if self._clock() - at >= lasts:
                self._make_room()
                found = await look()
                self._found[name] = self._clock(), found
            return cast(T, found)

    def _kept(self, name: Hashable, lasts: float, look: Callable[[], Awaitable[Any]]) -> Any:
        at, found = self._found[name]
        if self._clock() - at >= lasts and name not in self._again:
            self._again[name] = again = asyncio.create_task(self._look_again(name, look))
            again.add_done_callback(lambda _: self._again.pop(name, None))
        return found

    async def _look_again(self, name: Hashable, look: Callable[[], Awaitable[Any]]) -> None:
        try:
            self._found[name] = self._clock(), await look()
        except Exception:
            log.exception("what pages share could not be looked up again: %s", name)

    def _make_room(self) -> None:
        if len(self._found) >= MOST:
            self._found.clear()
            self._locks = defaultdict(asyncio.Lock, {n: lock for n, lock in self._locks.items() if lock.locked()})
