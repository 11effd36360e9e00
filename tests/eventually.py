"""Waiting for a condition with a deadline, instead of for some time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


def eventually(condition: Callable[[], object], within: float = 20.0) -> None:
    """Looks until the condition holds; fails after `within` seconds."""
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"it did not happen within {within} s"
        time.sleep(0.02)


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """The same where other tasks go on meanwhile."""
    async with asyncio.timeout(within):
        while not (await met if isinstance(met := condition(), Awaitable) else met):
            await asyncio.sleep(0.005)
