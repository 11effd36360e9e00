"""To-do workers in processes of their own, killed at any step: one outcome for each row, done at least once.

Two workers are never at the same row while a lease holds, and each act on the world has the row's id as its key.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid5

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.ids import NAMESPACE
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import migrate
from projections import todo
from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare
from projections.todo import Asked
from tests.crash.doer import KIND, STEPS
from tests.eventually import until
from tests.full import randomness, size

ACTS = """
CREATE TABLE acts (id uuid, lease uuid, worker text, began timestamptz, ended timestamptz, leased_until timestamptz,
    PRIMARY KEY (id, lease))
"""

# An act that begins while the one before it is not over, although that one's lease may still hold.
OVERLAPPING = """
SELECT count(*) FROM acts a JOIN acts b ON a.id = b.id AND a.lease <> b.lease AND a.began <= b.began
WHERE b.began < least(a.ended, a.leased_until) OR (a.ended IS NULL AND b.began < a.leased_until)
"""


def asked(number: int) -> Asked:
    id = uuid5(NAMESPACE, f"to-do/{number}")
    return Asked(id=id, kind=KIND, context="counters", subject=uuid5(NAMESPACE, f"of/{number}"), correlation_id="t")


class Doers:
    """Worker processes; `deaths` is where those of them die that are started from now on."""

    def __init__(self, database: str, lease: float) -> None:
        self._database = database
        self._lease = lease
        self.deaths = ""
        self.started = 0
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.started += 1
        arguments = [self._database, f"doer-{self.started}", str(self._lease), self.deaths]
        command = [sys.executable, "-m", "tests.crash.doer", *arguments]
        self.running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def replace_dead(self) -> None:
        for doer in [doer for doer in self.running if doer.poll() is not None]:
            self.running.remove(doer)
            self.start()

    def kill_one(self, dice: Random) -> None:
        doer = self.running[dice.randrange(len(self.running))]
        doer.kill()
        doer.wait()

    @property
    def anybody_dead(self) -> bool:
        return any(doer.poll() is not None for doer in self.running)


@contextmanager
def doers(database: str, lease: float) -> Iterator[Doers]:
    made = Doers(database, lease)
    try:
        yield made
    finally:
        for doer in made.running:
            doer.kill()
            doer.wait()


@asynccontextmanager
async def prepared(database: str) -> AsyncIterator[Pool]:
    await migrate(database, ["counters"])
    await prepare(database, MODELS)
    pool: Pool = AsyncConnectionPool(database, min_size=1, max_size=4, timeout=2, open=False)
    async with pool:
        async with pool.connection() as connection:
            await connection.execute(ACTS)
        yield pool


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with prepared(database) as pool:
        yield pool


async def one(pool: Pool, query: str) -> Any:
    async with pool.connection() as connection:
        found = await (await connection.execute(query)).fetchone()
    assert found is not None
    return found[0]


async def add(pool: Pool, *rows: Asked) -> None:
    async with pool.connection() as connection:
        await todo.add(connection, rows)


async def all_closed(pool: Pool) -> bool:
    return bool(await one(pool, "SELECT bool_and(status = 'DONE') FROM projections.todo"))


async def require_one_outcome_each(pool: Pool, number: int, *, alone: bool = True) -> None:
    """`alone`: and nobody was at a row that somebody else had."""
    outcomes = (
        "SELECT array_agg(DISTINCT n) FROM (SELECT count(*) n FROM counters.stored_events GROUP BY originator_id) g"
    )
    assert await one(pool, outcomes) == [1]
    assert await one(pool, "SELECT count(*) FROM counters.stored_events") == number
    assert await one(pool, "SELECT count(DISTINCT id) FROM acts") == number
    assert not alone or await one(pool, OVERLAPPING) == 0


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_dies_at_a_step_leaves_one_outcome(pool: Pool, database: str, step: str) -> None:
    rows = [asked(n) for n in range(5)]
    await add(pool, *rows)
    with doers(database, lease=1.0) as crowd:
        crowd.deaths = f"{step}=1"
        crowd.start()
        await until(lambda: crowd.anybody_dead, within=30)
        crowd.deaths = ""
        crowd.replace_dead()
        await until(lambda: all_closed(pool), within=30)
    await require_one_outcome_each(pool, len(rows))


@pytest.mark.full("todo")
@pytest.mark.timeout(900)
async def test_workers_that_are_killed_and_die_at_every_step_leave_one_outcome_for_each_row(
    pool: Pool, database: str
) -> None:
    dice, number = randomness(), size(120, 5_000)
    kills = size(6, 100)
    with doers(database, lease=1.0) as crowd:
        crowd.deaths = ",".join(f"{step}={size(0.01, 0.003)}" for step in STEPS)
        for _ in range(size(3, 5)):
            crowd.start()
        for n in range(kills):
            rows = [asked(k) for k in range(n * number // kills, (n + 1) * number // kills)]
            await add(pool, *rows)
            await add(pool, *dice.sample(rows, len(rows) // 3))  # a feed that repeats itself
            await asyncio.sleep(dice.uniform(0, 0.4))
            if dice.random() < 0.5:
                crowd.kill_one(dice)
            crowd.replace_dead()

        async def done() -> bool:
            crowd.replace_dead()
            await asyncio.sleep(0.2)
            return await all_closed(pool)

        await until(done, within=300)
    await require_one_outcome_each(pool, number)


@pytest.mark.full("todo")
@pytest.mark.timeout(600)
async def test_a_server_killed_under_the_workers_is_waited_for(tmp_path: Path) -> None:
    dice, number = randomness(), size(100, 2_000)
    kills = size(2, 20)
    with EmbeddedPostgres(tmp_path / "data") as server:
        conninfo = server.conninfo("postgres")
        async with prepared(conninfo) as pool:
            with doers(conninfo, lease=1.0) as crowd:
                for _ in range(3):
                    crowd.start()
                await until(lambda: at_work(pool, 3), within=60)
                for n in range(kills):
                    await added(pool, [asked(k) for k in range(n * number // kills, (n + 1) * number // kills)])
                    await asyncio.sleep(dice.uniform(0.1, 1.0))
                    assert server.pid is not None
                    os.kill(server.pid, signal.SIGKILL)
                    await server.ended()
                    await server.restart()
                await until(lambda: all_closed_here(pool), within=120)
                assert not crowd.anybody_dead
            await require_one_outcome_each(pool, number, alone=False)


async def at_work(pool: Pool, number: int) -> bool:
    return bool(await one(pool, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'") == number)


async def added(pool: Pool, rows: list[Asked]) -> None:
    """Whatever becomes of the connection."""
    while True:
        try:
            return await add(pool, *rows)
        except (psycopg.OperationalError, PoolTimeout):
            await asyncio.sleep(0.05)


async def all_closed_here(pool: Pool) -> bool:
    await asyncio.sleep(0.1)
    try:
        return await all_closed(pool)
    except (psycopg.OperationalError, PoolTimeout):
        return False
