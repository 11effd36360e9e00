"""Consumers in processes of their own, killed at any moment: no event is lost or applied twice."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import pytest
from psycopg_pool import AsyncConnectionPool

from projections.models import MODELS
from projections.orders.projector import orders
from projections.pool import Pool
from projections.schema import prepare
from tests.contracts.test_feed import StoredSource, stored
from tests.full import randomness, size
from tests.projections.fakes import FakeFeed
from tests.projections.stories import STORIES, mixed, order_id
from tests.projections.test_consumer import expected, until


async def follower(database: str) -> Process:
    """A worker that has begun."""
    command = [sys.executable, "-m", "tests.crash.follower", database]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def kill(process: Process) -> None:
    process.kill()
    await process.wait()


async def write(source: StoredSource, feed: FakeFeed) -> None:
    """Appends what the fake log holds, a few events at a time."""
    for start in range(0, len(feed.log), 5):
        await source.append(*(recorded.event for recorded in feed.log[start : start + 5]))


@pytest.mark.full("consumers")
async def test_workers_killed_while_they_write_lose_and_repeat_nothing(database: str) -> None:
    dice, number = randomness(), size(150, 3_000)
    events = mixed([dice.randrange(number) for _ in range(5 * number)], [dice.choice(STORIES) for _ in range(number)])
    feed = FakeFeed("orders", events)
    await prepare(database, MODELS)
    pool: Pool = AsyncConnectionPool(database, max_size=4, open=False)

    async def floor() -> int:
        async with pool.connection() as connection:
            found = await (await connection.execute("SELECT floor FROM projections.checkpoints")).fetchone()
        return int(found[0]) if found else 0

    async def caught_up() -> bool:
        return await floor() == len(events)

    async with stored(database) as source, pool:
        workers = [await follower(database) for _ in range(2)]
        writing = asyncio.create_task(write(source, feed))
        for n in range(size(6, 30)):
            await asyncio.sleep(dice.uniform(0, 0.3))
            await kill(workers[n % 2])
            workers[n % 2] = await follower(database)
        await writing
        await until(caught_up, timeout=60)
        for worker in workers:
            await kill(worker)
        async with pool.connection() as connection:
            rows = await orders.table.load(connection, "reads", [order_id(n) for n in range(number)])
    assert rows == expected(feed)
