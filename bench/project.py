"""project: a consumer of orders, from the log's table to rows and checkpoint in the read model's.

`live` follows a log to which another process appends as fast as it can; the clock runs from the first event written to
the last one in the rows. `library` is what is in the log already, beside the eventsourcing library's own projection
runner on the same events with the same fold.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import psycopg
import uvloop
from psycopg_pool import AsyncConnectionPool

from bench.library import SCHEMA, projected_per_second
from bench.orders_log import orders, write
from bench.report import Figure, progress
from bench.server import fresh_server
from domain.ids import UserId, new_id
from infra import garbage
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from projections.consumer import Consumer
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink

LIVE = 200_000  # events
STORED = 20_000
CUSTOMERS = 1_000

STAGE = """
CREATE TABLE public.staged AS SELECT notification_id AS n, e.* FROM orders.stored_events e;
ALTER TABLE public.staged ADD PRIMARY KEY (n);
TRUNCATE orders.stored_events;
ANALYZE public.staged;
"""


class Keys:
    """Of a thousand customers, all at hand."""

    def __init__(self) -> None:
        self.owners = [UserId(new_id()) for _ in range(CUSTOMERS)]
        self._keys = {owner: owner.bytes * 2 for owner in self.owners}

    def get(self, owner: UUID) -> bytes | None:
        return self._keys[UserId(owner)]

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        pass


async def prepared(conninfo: str, keys: Keys, events: int) -> None:
    await migrate(conninfo, ["orders"])
    await prepare(conninfo, [ORDERS])
    progress(f"a log of {events} events")
    write(conninfo, orders(events, keys.owners, random.Random(1)), EventMapper(keys))


@asynccontextmanager
async def consumer_of(conninfo: str, keys: Keys) -> AsyncIterator[Consumer]:
    """At work."""
    pool: Pool = AsyncConnectionPool(conninfo, min_size=4, max_size=4, open=False)
    async with pool:
        wakeups = Wakeups(conninfo, pool, ["orders"])
        wakeups.open()
        consumer = Consumer(ModelSink(ORDERS), StoreFeed(LogReader(pool, "orders", keys), wakeups), pool)
        garbage.settle()  # as every process of ours does
        working = asyncio.create_task(consumer.run())
        try:
            yield consumer
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            await wakeups.close()


async def arrived(consumer: Consumer, position: int) -> None:
    while consumer.health.floor < position:
        await asyncio.sleep(0.002)


async def live(conninfo: str, keys: Keys) -> float:
    await prepared(conninfo, keys, LIVE)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(STAGE)
    progress("a consumer behind a writer")
    async with consumer_of(conninfo, keys) as consumer:
        await asyncio.sleep(1)
        writer = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.order_writer", conninfo)
        await arrived(consumer, 1)
        began = time.perf_counter()
        await writer.wait()
        written = time.perf_counter() - began
        await arrived(consumer, LIVE)
        took = time.perf_counter() - began
    progress(f"written at {LIVE / written:.0f}/s; the last events were seen {took - written:.2f} s after that")
    return LIVE / took


async def stored(conninfo: str, keys: Keys) -> float:
    await prepared(conninfo, keys, STORED)
    progress("a consumer of what is there")
    began = time.perf_counter()
    async with consumer_of(conninfo, keys) as consumer:
        await arrived(consumer, STORED)
        return STORED / (time.perf_counter() - began)


def main() -> None:
    keys = Keys()
    with fresh_server() as conninfo:
        rate = uvloop.run(live(conninfo, keys))
    Figure("project", "live", rate, "1/s", goal=">= 10000").show()
    with fresh_server() as conninfo:
        rate = uvloop.run(stored(conninfo, keys))
        progress("the library's runner")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {SCHEMA}; SET search_path TO {SCHEMA}; {ORDERS.table_sql}".encode())
        library = projected_per_second(conninfo, keys, STORED)
        with psycopg.connect(conninfo) as connection:
            (rows,) = connection.execute(SAME.encode()).fetchone() or (0,)
        assert rows == 0, f"{rows} rows differ"
    Figure("project", "library", rate, "1/s", library, ">= 20").show()


SAME = f"""
SELECT count(*) FROM {SCHEMA}.orders l FULL JOIN orders_1.orders o USING (id)
WHERE (l.version, l.status, l.total, l.lines::text) IS DISTINCT FROM (o.version, o.status, o.total, o.lines::text)
"""
