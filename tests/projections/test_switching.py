"""A replay of a large log with somebody writing, readers reading all the time, and workers being killed."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from psycopg import AsyncConnection

from projections.comparison import compare
from projections.generations import Generation, State
from projections.model import Model
from projections.orders.projector import ORDERS
from tests.full import randomness, size
from tests.projections.replaying import Shop, a_shop, caught_up, eventually, live, reached, rows, some_events, working


@dataclass(frozen=True)
class Marked(Model):
    """Orders, and two tables in which the test writes which generation they belong to."""

    @property
    def table_sql(self) -> str:
        return (
            super().table_sql
            + "\nCREATE TABLE front (generation int PRIMARY KEY);\nCREATE TABLE back (generation int PRIMARY KEY);"
        )


MARKED = Marked(ORDERS.name, ORDERS.contexts, ORDERS.projectors)

READ = """
SELECT f.generation, b.generation, o.orders, o.versions
FROM reads.front f CROSS JOIN reads.back b
CROSS JOIN (SELECT count(*) AS orders, coalesce(sum(version), 0) AS versions FROM reads.orders) AS o
"""


async def mark(shop: Shop, generation: Generation) -> None:
    async with shop.pool.connection() as connection:
        for table in ("front", "back"):
            await connection.execute(f"INSERT INTO {generation.schema}.{table} VALUES ({generation.generation})")


@dataclass
class Readers:
    """Ask the same question again and again; each answer must be of one generation and never of an earlier moment."""

    seen: set[int] = field(default_factory=set)
    answers: int = 0

    async def read(self, database: str) -> None:
        orders = versions = 0
        async with await AsyncConnection.connect(database, autocommit=True) as connection:
            while True:
                (row,) = await (await connection.execute(READ)).fetchall()
                assert row[0] == row[1], f"one query saw generations {row[0]} and {row[1]}"
                assert row[2] >= orders, "orders that were there are gone"
                assert row[3] >= versions, "orders are older than they were"
                _, _, orders, versions = row
                self.seen.add(row[0])
                self.answers += 1
                await asyncio.sleep(0.002)

    @asynccontextmanager
    async def reading(self, database: str, readers: int = 3) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.read(database)) for _ in range(readers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [error for error in ended if not isinstance(error, asyncio.CancelledError)] == []


async def write(shop: Shop, pause: float) -> None:
    """Until cancelled."""
    dice = randomness()
    while True:
        await shop.append(some_events(3, dice, first=shop.head))
        await asyncio.sleep(pause)


@asynccontextmanager
async def written_to(shop: Shop, pause: float = 0.05) -> AsyncIterator[None]:
    writing = asyncio.create_task(write(shop, pause))
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait({writing})


@pytest.mark.full("replay")
@pytest.mark.timeout(900)
async def test_readers_notice_neither_replay_nor_switch_nor_rollback(empty_database: str) -> None:
    readers = Readers()
    async with a_shop(empty_database, MARKED) as shop:
        await shop.append(some_events(size(1_000, 62_000), randomness()))
        await mark(shop, await live(shop))
        async with working(shop):
            await caught_up(shop, await live(shop), within=300)
            async with written_to(shop), readers.reading(empty_database):
                new = await reached(shop, await shop.replays.start("orders"), State.READY, within=600)
                await mark(shop, new)
                found = await compare(shop.pool, MARKED, await live(shop), new)
                assert {d.table for d in found.named} <= {"front", "back"}, found.summary()
                await shop.replays.compared(new, found)
                new = await shop.replays.switch(await shop.replays.generation("orders", 2))
                await eventually(lambda: _saw(readers, 2))
                await shop.replays.rollback(new)
                before = readers.answers
                await eventually(lambda: _answered(readers, before + 20))
            await caught_up(shop, await live(shop))
            await caught_up(shop, new)
    assert readers.seen == {1, 2}
    assert (await shop_head(empty_database)) > 0


async def _saw(readers: Readers, generation: int) -> bool:
    return generation in readers.seen


async def _answered(readers: Readers, answers: int) -> bool:
    return readers.answers >= answers


async def shop_head(database: str) -> int:
    async with await AsyncConnection.connect(database) as connection:
        found = await (await connection.execute("SELECT count(*) FROM orders.stored_events")).fetchone()
    return found[0] if found else 0


async def builder(database: str) -> Process:
    """A process that builds, at work."""
    command = [sys.executable, "-m", "tests.crash.builder", database]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def locks_held(shop: Shop) -> set[int]:
    """The server processes that hold a part."""
    async with shop.pool.connection() as connection:
        found = await connection.execute(
            "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return {pid for (pid,) in await found.fetchall()}


@pytest.mark.full("replay")
@pytest.mark.timeout(900)
async def test_builders_that_are_killed_lose_and_repeat_nothing(database: str) -> None:
    dice = randomness()
    async with a_shop(database) as shop:
        await shop.append(some_events(size(1_500, 62_000), dice))
        async with working(shop):
            await caught_up(shop, await live(shop), within=300)
        new = await shop.replays.start("orders")
        processes = [await builder(database) for _ in range(2)]
        kills = 0
        while (await shop.replays.generation("orders", 2)).status is State.BUILDING:
            await asyncio.sleep(dice.uniform(0, size(0.3, 2.0)))
            if kills < size(4, 20):
                await kill(processes[kills % 2])
                processes[kills % 2] = await builder(database)
                kills += 1
        for process in processes:
            await kill(process)
        assert kills > 0
        assert await rows(shop.pool, new.schema) == await rows(shop.pool, "orders_1")


async def test_two_processes_share_the_parts(database: str) -> None:
    async with a_shop(database) as shop:
        await shop.append(some_events(1_500, randomness()))
        processes = [await builder(database) for _ in range(2)]
        new = await shop.replays.start("orders")

        async def both() -> bool:
            return len(await locks_held(shop)) == 2

        await eventually(both)
        built = await reached(shop, new, State.READY)
        for process in processes:
            assert await process.wait() == 0
    assert built.built_at is not None
