"""Connections: who waits for one can be told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from psycopg_pool import PoolTimeout

from projections.pool import Pool, answered, connected, patient_for


class Swallowing:
    """Gives a connection to who is cancelled while waiting, as `wait_for` of Python 3.11 may do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.waiting = asyncio.Event()

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Any]:
        with suppress(asyncio.CancelledError):
            self.waiting.set()
            await asyncio.Event().wait()
        async with self._pool.connection(timeout) as connection:
            yield connection


async def connect(pool: Any) -> None:
    async with connected(pool) as connection:
        await connection.execute("SELECT 1")


async def answer(pool: Any) -> None:
    await answered(pool, b"SELECT '1'", [])


@pytest.mark.parametrize("use", [connect, answer])
async def test_a_cancellation_is_not_swallowed(pool: Pool, use: Callable[[Any], Awaitable[None]]) -> None:
    swallowing = Swallowing(pool)
    using = asyncio.ensure_future(use(swallowing))
    await swallowing.waiting.wait()
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using


@pytest.mark.parametrize("use", [connect, answer])
async def test_who_is_impatient_does_not_wait_as_long_as_the_pool(
    pool: Pool, use: Callable[[Any], Awaitable[None]]
) -> None:
    pool.timeout = 600
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        held, done = asyncio.Barrier(pool.max_size + 1), asyncio.Event()

        async def hold() -> None:
            async with pool.connection():
                await held.wait()
                await done.wait()

        for _ in range(pool.max_size):
            group.create_task(hold())
        await held.wait()
        with pytest.raises(PoolTimeout), patient_for(0.05):
            await use(pool)
        done.set()
