"""Consumers in processes of their own, killed at any moment: no event is lost or applied twice."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.ids import SLICES
from infra.event_log.reader import LogReader
from projections.checkpoint import Checkpoints
from projections.models import MODELS
from projections.orders.projector import orders
from projections.pool import Pool
from projections.schema import prepare
from tests.contracts.test_feed import OneKey, StoredSource, stored
from tests.full import randomness, size
from tests.projections.fakes import FakeFeed
from tests.projections.stories import STORIES, mixed, order_id
from tests.projections.test_consumer import expected, until

BOOKS = Checkpoints("orders@1", "orders")


async def follower(database: str, *part: int) -> Process:
    """A worker that has begun."""
    command = [sys.executable, "-m", "tests.crash.follower", database, *map(str, part)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def kill(process: Process) -> None:
    process.kill()
    await process.wait()


async def write(source: StoredSource, feed: FakeFeed) -> None:
    """Appends what the fake log holds, a few events at a time."""
    some = size(5, 50)
    for start in range(0, len(feed.log), some):
        await source.append(*(recorded.event for recorded in feed.log[start : start + some]))


PARTS: list[list[tuple[int, ...]]] = [[(), ()], [(0, 2), (1, 2)], [(0, 2), (1, 2), (), (0, 1)]]
"""Two workers of everything; two with half of the slices each; all that may meet while a consumer changes hands."""


@pytest.mark.timeout(600)
@pytest.mark.full("consumers")
@pytest.mark.parametrize("parts", PARTS, ids=["standby", "halves", "all"])
async def test_workers_killed_while_they_write_lose_and_repeat_nothing(
    database: str, parts: list[tuple[int, ...]]
) -> None:
    dice, number = randomness(), size(150, 3_000)
    events = mixed([dice.randrange(number) for _ in range(5 * number)], [dice.choice(STORIES) for _ in range(number)])
    feed = FakeFeed("orders", events)
    await prepare(database, MODELS)
    pool: Pool = AsyncConnectionPool(database, max_size=4, open=False)

    async def caught_up() -> bool:
        """Every slice is where the log ends; the floor is lifted on the way as a housekeeper would."""
        async with pool.connection() as connection:
            incarnation, head = await LogReader(pool, "orders", OneKey()).head()
            checkpoint = await BOOKS.open(connection, incarnation)
            await BOOKS.lift_floor(connection, incarnation, min(map(checkpoint.of, range(SLICES))))
        return head == len(events) and all(checkpoint.of(slice) == head for slice in range(SLICES))

    async with stored(database) as source, pool:
        workers = [await follower(database, *part) for part in parts]
        writing = asyncio.create_task(write(source, feed))
        for n in range(size(6, 30)):
            await asyncio.sleep(dice.uniform(0, 0.3))
            await kill(workers[n % len(workers)])
            workers[n % len(workers)] = await follower(database, *parts[n % len(workers)])
            await caught_up()
        await writing
        await until(caught_up, timeout=60)
        for worker in workers:
            await kill(worker)
        async with pool.connection() as connection:
            rows = await orders.table.load(connection, "reads", [order_id(n) for n in range(number)])
    assert rows == expected(feed)
