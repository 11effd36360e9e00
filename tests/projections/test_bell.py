"""Who is rung for in one process is woken in another."""

from __future__ import annotations

import asyncio

from psycopg_pool import AsyncConnectionPool

from projections.alarm import Alarm
from projections.bell import CHANNEL, Bell
from projections.pool import Pool


async def test_a_bell_is_heard_by_an_alarm_elsewhere(database: str) -> None:
    pool: Pool = AsyncConnectionPool(database, min_size=1, open=False)
    async with pool:
        bell, alarm = Bell(pool), Alarm(database, CHANNEL)
        running = [asyncio.create_task(bell.run()), asyncio.create_task(alarm.run())]
        await alarm.wait(60)  # it listens: it rings then, too
        async with asyncio.timeout(20):
            for _ in range(3):
                bell.ring()
                await alarm.wait(60)
        for task in running:
            task.cancel()
        await asyncio.wait(running)


async def test_a_bell_outlives_its_database(database: str) -> None:
    pool: Pool = AsyncConnectionPool(database, min_size=1, open=False, timeout=0.1)
    bell = Bell(pool)
    assert not await bell._sent()
