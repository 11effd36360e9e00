"""What many pages look at together: it is looked up once for all of them, and again when it is too old."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")

MOST: Final = 100  # things kept


class Shared:
    """Kept by name. Who asks while it is being looked up waits for that very answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._found: dict[Hashable, tuple[float, Any]] = {}

    async def of(self, name: Hashable, lasts: float, look: Callable[[], Awaitable[T]]) -> T:
        """Not older than `lasts` seconds. What `look` raises is raised to whoever asks."""
        async with self._locks[name]:
            at, found = self._found.get(name, (float("-inf"), None))
            if self._clock() - at >= lasts:
                self._make_room()
                found = await look()
                self._found[name] = self._clock(), found
            answer: T = found
            return answer

    def _make_room(self) -> None:
        if len(self._found) >= MOST:
            self._found.clear()
            self._locks = defaultdict(asyncio.Lock, {n: lock for n, lock in self._locks.items() if lock.locked()})
