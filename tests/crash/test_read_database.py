"""The server under a consumer is killed, again and again: what was lost is made again, and nothing is made twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from domain.event import Event
from domain.ids import SLICES
from infra.databases import READS, Databases
from infra.embedded import EmbeddedPostgres
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.settings import Profile, Settings
from projections.consumer import Consumer, Status
from projections.models import MODELS
from projections.orders.projector import ORDERS, orders
from projections.parked import listed
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from tests.contracts.test_feed import OneKey, StoredSource, lost, stored
from tests.domain.orders.samples import placed
from tests.eventually import until
from tests.full import randomness, size
from tests.projections.fakes import FakeFeed
from tests.projections.stories import STORIES, mixed, order_id, told
from tests.projections.test_consumer import expected, running

HALVES = (range(SLICES // 2), range(SLICES // 2, SLICES))


@asynccontextmanager
async def connected(conninfo: str) -> AsyncIterator[Pool]:
    """As a process of ours is to its databases."""
    settings = Settings(profile=Profile.DEVELOPMENT, database_url=SecretStr(conninfo))
    async with Databases(settings, ["orders"]) as databases:
        yield databases.pool(READS)


async def append(source: StoredSource, events: list[Event]) -> None:
    """Until they are there: after a lost connection nobody knows whether they are."""
    while True:
        try:
            await source.append(*events)
        except psycopg.errors.UniqueViolation:
            return
        except (psycopg.OperationalError, OSError, TimeoutError):
            await asyncio.sleep(0.05)
        else:
            return


def well(consumer: Consumer, head: int) -> bool:
    return consumer.health.status is Status.RUNNING and consumer.health.done == head


@pytest.mark.timeout(600)
@pytest.mark.full("consumers")
async def test_a_server_killed_under_load_is_waited_for_and_costs_nothing(tmp_path: Path) -> None:
    dice, number, some = randomness(), size(150, 3_000), size(5, 50)
    stories = [dice.choice(STORIES) for _ in range(number)]
    events = mixed([dice.randrange(number) for _ in range(5 * number)], stories)
    feed = FakeFeed("orders", events)
    with EmbeddedPostgres(tmp_path / "data") as server:
        conninfo = server.conninfo("postgres")
        await prepare(conninfo, MODELS)
        async with stored(conninfo) as source, connected(conninfo) as pool:
            reader = LogReader(pool, "orders", OneKey())
            consumers = [Consumer(ModelSink(ORDERS), StoreFeed(reader, source.wakeups, half), pool) for half in HALVES]

            async def write() -> None:
                await append(source, [lost()])
                for start in range(0, len(events), some):
                    await append(source, events[start : start + some])

            async def killing() -> None:
                for _ in range(size(3, 20)):
                    await asyncio.sleep(dice.uniform(0.1, 0.5))
                    assert server.pid is not None
                    os.kill(server.pid, signal.SIGKILL)
                    await server.ended()
                    await server.restart()

            async with running(*consumers):
                await asyncio.gather(write(), killing())
                await append(source, told((placed,), order_id(number)))
                feed.append(*told((placed,), order_id(number)))
                head = len(events) + 2
                await until(lambda: all(well(consumer, head) for consumer in consumers), within=60)
            async with pool.connection() as connection:
                rows = await orders.table.load(connection, "reads", [order_id(n) for n in range(number + 1)])
                (parked,) = await listed(connection)
    assert rows == expected(feed)
    assert (parked.position, parked.waiting) == (1, 0)


@pytest.mark.full("consumers")
async def test_after_a_long_outage_nobody_waits_for_as_long_again(tmp_path: Path) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    with EmbeddedPostgres(tmp_path / "data") as server:
        conninfo = server.conninfo("postgres")
        await prepare(conninfo, MODELS)
        async with connected(conninfo) as pool:
            consumer = Consumer(ModelSink(ORDERS), feed, pool)
            async with running(consumer):
                await until(lambda: well(consumer, 1))
                server.stop()
                feed.append(*told((placed,), order_id(2)))
                await until(lambda: consumer.health.status is Status.WAITING)
                await asyncio.sleep(size(1, 20))
                server.start()
                await until(lambda: well(consumer, 2), within=14)  # a back-off and a reconnection, however long it was
