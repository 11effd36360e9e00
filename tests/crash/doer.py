"""python -m tests.crash.doer CONNINFO NAME LEASE DEATHS: does to-dos until it is killed, or kills itself where told to.

Each act on the world leaves a line in the table `acts`: when it began and, if it came to that, when it ended. The
outcome counts up the row's subject. DEATHS is a step and how likely the process dies there, such as `recorded=0.2`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Iterable, Mapping
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from bench.counter import Counter, CountUp
from bench.server import counter_loop
from commands.loop import WriteLoop
from commands.reply import Envelope, Key
from domain.actor import ANONYMOUS
from domain.ids import derive
from projections import todo
from projections.alarm import Alarm
from projections.doing import Done, Kind, Outcome, Worker
from projections.pool import Connection, Pool
from projections.retry import RetryPolicy
from projections.todo import CHANNEL, Ended, Work

KIND = "count"
STEPS = ("leased", "known", "acting", "acted", "recorded", "closed")


class Fate:
    """Dies the hard way at some steps: as by kill -9, without any farewell."""

    def __init__(self, deaths: Mapping[str, float]) -> None:
        self._deaths = deaths
        self._dice = random.Random(os.getpid())

    def at(self, step: str) -> None:
        if self._dice.random() < self._deaths.get(step, 0.0):
            os.kill(os.getpid(), signal.SIGKILL)


class CountOnce:
    """Its outcome is one event of the subject, whoever records it and however often."""

    def __init__(self, loop: WriteLoop, pool: Pool, worker: str, fate: Fate) -> None:
        self._loop = loop
        self._pool = pool
        self._worker = worker
        self._fate = fate

    async def known(self, work: Work) -> Outcome | None:
        self._fate.at("leased")
        counter = (await self._loop.states([work.subject])).get(work.subject, Counter)
        self._fate.at("known")
        return None if counter is None else Done()

    async def do(self, work: Work) -> Outcome:
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO acts (id, lease, worker, began, leased_until) SELECT id, %s, %s, clock_timestamp(),"
                " leased_until FROM projections.todo WHERE id = %s",
                [work.lease, self._worker, work.id],
            )
        await asyncio.sleep(random.uniform(0, 0.02))
        self._fate.at("acting")
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE acts SET ended = clock_timestamp() WHERE (id, lease) = (%s, %s)", [work.id, work.lease]
            )
        self._fate.at("acted")
        return Done({"by": self._worker})

    async def record(self, work: Work, outcome: Outcome) -> None:
        command = CountUp().bind(by=ANONYMOUS, target=work.subject)
        key = Key(derive("to-do", work.id), b"count", None)
        (await self._loop.submit(Envelope(command, work.correlation_id, key=key))).result()
        self._fate.at("recorded")


async def main(conninfo: str, name: str, lease: float, deaths: Mapping[str, float]) -> None:
    fate = Fate(deaths)
    close = todo.close

    async def closes(connection: Connection, ended: Iterable[Ended]) -> set[UUID]:
        closed = await close(connection, ended)
        fate.at("closed")  # before the commit: nothing of it happened
        return closed

    todo.close = closes
    pool: Pool = AsyncConnectionPool(conninfo, min_size=2, max_size=10, timeout=2, open=False)
    async with counter_loop(conninfo) as loop, pool:
        kind = Kind(KIND, RetryPolicy(first=0.05, longest=0.5), CountOnce(loop, pool, name, fate))
        worker = Worker(pool, Alarm(conninfo, CHANNEL), [kind], name=name, lease=lease, at_once=8)
        print("working", flush=True)
        await worker.run()


def parsed(deaths: str) -> dict[str, float]:
    return {step: float(chance) for step, _, chance in (each.partition("=") for each in deaths.split(",") if each)}


if __name__ == "__main__":
    conninfo, name, lease, deaths = sys.argv[1:]
    asyncio.run(main(conninfo, name, float(lease), parsed(deaths)))
