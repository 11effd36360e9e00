"""Waiting until nothing goes on by itself on an order any more: no saga works it, or it has come to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from commands.log import Unavailable
from commands.services import WriteSide
from domain import orders
from domain.orders.order import Order, Status
from infra.event_log.wakeups import Wakeups

POLL: Final = 1.0
"""Seconds after which somebody looks who was not woken."""

PAUSE: Final = 0.02
"""Seconds between two looks: a busy log wakes all the time."""

ENDS: Final = frozenset({Status.REJECTED, Status.EXPIRED, Status.CANCELLED})


def settled(order: Order | None) -> bool:
    return order is None or order.saga is None or order.status in ENDS


class Settling:
    """`Services.settled`. Once `stopping` is set, nobody waits any more. What is no order is settled from the first."""

    def __init__(self, states: WriteSide, wakeups: Mapping[str, Wakeups], stopping: asyncio.Event) -> None:
        self._states = states
        self._wakeups = wakeups
        self._stopping = stopping

    async def __call__(self, context: str, id: UUID, within: float) -> bool:
        if context != orders.CONTEXT.name:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                return await self._until_settled(id)
        return False

    async def _until_settled(self, id: UUID) -> bool:
        """False when the process is about to stop first."""
        log, name = self._wakeups[orders.CONTEXT.name], orders.CONTEXT.name
        while not self._stopping.is_set():
            head = log.head(name)
            if await self._is_settled(id):
                return True
            await first_of(self._stopping.wait(), log.wait(name, head, POLL))
            await asyncio.sleep(PAUSE)
        return False

    async def _is_settled(self, id: UUID) -> bool:
        """While the log cannot be read, that is not known."""
        try:
            return settled(await self._states.get(orders.CONTEXT.name, id))
        except Unavailable:
            return False


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Until one of them is done; the others are given up."""
    tasks = {asyncio.create_task(work) for work in works}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
