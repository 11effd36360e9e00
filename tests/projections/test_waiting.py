from __future__ import annotations

import asyncio
from time import monotonic
from uuid import UUID, uuid4

from psycopg_pool import AsyncConnectionPool

from domain.ids import slice_of
from domain.token import ConsistencyToken
from projections.consumer import Consumer
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from projections.waiting import Watch
from tests.domain.orders.samples import placed
from tests.projections.fakes import FakeFeed
from tests.projections.stories import order_id, told
from tests.projections.test_consumer import caught_up, running


def token_of(feed: FakeFeed, id: UUID, position: int, incarnation: UUID | None = None) -> ConsistencyToken:
    return ConsistencyToken.of(feed.context, incarnation or feed.incarnation, [(slice_of(id), position)])


async def test_what_was_seen_is_not_waited_for(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    waited = await Watch(pool).wait(token_of(feed, order_id(1), 1), timeout=0)
    assert waited.satisfied


async def test_what_is_not_there_in_time_is_told(pool: Pool) -> None:
    feed = FakeFeed("orders")
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    waited = await Watch(pool).wait(token_of(feed, order_id(1), 1), timeout=0.1)
    assert not waited.satisfied
    assert 100 <= waited.ms < 1000


async def test_a_consumer_of_this_process_wakes_the_waiting_at_once(pool: Pool) -> None:
    feed = FakeFeed("orders")
    watch = Watch(pool)
    delays = []
    async with running(Consumer(ModelSink(ORDERS), feed, pool, moved=watch.moved)):
        for n in range(20):
            position = feed.append(*told((placed,), order_id(n)))
            started = monotonic()
            assert (await watch.wait(token_of(feed, order_id(n), position), timeout=5)).satisfied
            delays.append(monotonic() - started)
    assert sorted(delays)[10] < 0.05


async def test_a_consumer_of_another_process_is_seen_too(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    checkpoint = await consumer.open()
    waiting = asyncio.create_task(Watch(pool).wait(token_of(feed, order_id(1), 1), timeout=5))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await consumer.step(checkpoint)
    assert (await waiting).satisfied


async def test_a_token_of_another_incarnation_is_never_covered(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    assert not (await Watch(pool).wait(token_of(feed, order_id(1), 1, uuid4()), timeout=0.05)).satisfied


async def test_a_token_of_a_context_nobody_follows_is_never_covered(pool: Pool) -> None:
    waited = await Watch(pool).wait(ConsistencyToken.of("stamps", uuid4(), [(1, 1)]), timeout=0.05)
    assert not waited.satisfied


async def test_the_wait_for_a_connection_counts(database: str) -> None:
    await prepare(database, [ORDERS])
    token = ConsistencyToken.of("orders", uuid4(), [(1, 1)])
    full: Pool = AsyncConnectionPool(database, min_size=1, max_size=1, open=False, timeout=600)
    async with full, full.connection(), asyncio.timeout(20):
        assert not (await Watch(full).wait(token, timeout=0.1)).satisfied
