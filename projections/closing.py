"""Closes to-do rows many at a time: what ends while one transaction is under way goes together in the next.

Nobody waits for others to end: a row that ends alone is closed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from projections import todo
from projections.pool import Connection
from projections.todo import Ended

OnTheTable = Callable[[Callable[[Connection], Awaitable[set[UUID]]]], Awaitable[set[UUID]]]
"""Runs a statement in a transaction of its own."""

Waiting = tuple[Ended, asyncio.Future[bool]]

AWAY: Final = (psycopg.OperationalError, PoolTimeout, OSError)


class Closing:
    def __init__(self, on_the_table: OnTheTable) -> None:
        self._on_the_table = on_the_table
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def close(self, ended: Ended) -> bool:
        """False when the lease is another's by now: then nothing was changed. Raises what the database does."""
        closed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((ended, closed))
        self._writer = self._writer or asyncio.create_task(self._write())
        return await closed

    async def settled(self) -> None:
        """Until all that was asked for is written, or has failed."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    async def _write(self) -> None:
        await asyncio.sleep(0)  # what ends in the same turn of the loop goes along
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await self._close(batch)
        self._writer = None

    async def _close(self, batch: Sequence[Waiting]) -> None:
        try:
            closed = await self._on_the_table(partial(todo.close, ended=[ended for ended, _ in batch]))
        except Exception as error:  # noqa: BLE001  # it is raised to whom it concerns
            await self._failed(batch, error)
            return
        for ended, told in batch:
            if not told.done():
                told.set_result(ended.work.id in closed)

    async def _failed(self, batch: Sequence[Waiting], error: Exception) -> None:
        """An outcome that the database refuses must not keep the others from being closed."""
        if len(batch) > 1 and not isinstance(error, AWAY):
            for each in batch:
                await self._close([each])
            return
        for _, told in batch:
            if not told.done():
                told.set_exception(error)
