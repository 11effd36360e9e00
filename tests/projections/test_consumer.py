from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.event import Event
from domain.ids import slice_of
from projections.checkpoint import Checkpoint, Fenced
from projections.consumer import Consumer, Outdated, Status, Stopped
from projections.feed import Batch
from projections.orders.projector import ORDERS, orders
from projections.orders.row import OrderRow
from projections.pool import Pool
from projections.sink import ModelSink
from tests.domain.orders.samples import confirmed, placed
from tests.projections.fakes import AT, FakeFeed, folded
from tests.projections.stories import STORIES, mixed, order_id, told


def some_events(seed: int = 1, orders: int = 40) -> list[Event]:
    random = Random(seed)
    stories = [random.choice(STORIES) for _ in range(orders)]
    return mixed([random.randrange(orders) for _ in range(5 * orders)], stories)


def expected(feed: FakeFeed) -> dict[UUID, OrderRow]:
    return folded(ORDERS, feed.log)[orders]


async def rows(pool: Pool) -> dict[UUID, OrderRow]:
    async with pool.connection() as connection:
        return await orders.table.load(connection, "reads", [order_id(n) for n in range(200)])


async def caught_up(consumer: Consumer) -> Checkpoint:
    checkpoint = await consumer.open()
    while (after := await consumer.step(checkpoint)) is not checkpoint:
        checkpoint = after
    return checkpoint


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], timeout: float = 10) -> None:
    async with asyncio.timeout(timeout):
        while not (await met if isinstance(met := condition(), Awaitable) else met):
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(*consumers: Consumer) -> Any:
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def a_bug(event: type[Event]) -> Iterator[None]:
    """The orders projector fails on this event type."""

    def fails(row: OrderRow, event: Any) -> OrderRow:
        raise ZeroDivisionError("a bug")

    function, orders._on[event] = orders._on[event], fails
    try:
        yield
    finally:
        orders._on[event] = function


async def test_rows_are_what_the_events_fold_to(pool: Pool) -> None:
    feed = FakeFeed("orders", some_events())
    checkpoint = await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    assert checkpoint.floor == len(feed.log)
    assert await rows(pool) == expected(feed)


async def test_a_new_worker_goes_on_where_the_last_one_stood(pool: Pool) -> None:
    feed = FakeFeed("orders", some_events(1))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    feed.append(*told((placed, confirmed), order_id(199)))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    assert await rows(pool) == expected(feed)


async def test_events_of_a_slice_that_is_ahead_of_the_floor_are_not_applied_again(pool: Pool) -> None:
    """As left behind by a feed that moves slices one by one."""
    feed = FakeFeed("orders", told((placed, confirmed), order_id(1)))
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    await consumer.open()
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO projections.slice_checkpoints VALUES ('orders@1', 'orders', %s, 2)", [slice_of(order_id(1))]
        )
    assert (await caught_up(consumer)).floor == 2
    assert await rows(pool) == {}


async def test_a_worker_whose_checkpoint_was_moved_is_fenced_and_writes_nothing(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    slow = Consumer(ModelSink(ORDERS), feed, pool)
    seen = await slow.open()
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    feed.append(*told((placed,), order_id(2)))
    with pytest.raises(Fenced):
        await slow.step(seen)
    assert set(await rows(pool)) == {order_id(1)}


async def test_two_workers_lose_and_repeat_nothing_however_often_they_are_killed(pool: Pool) -> None:
    feed = FakeFeed("orders")
    events, random = some_events(7, 100), Random(7)

    async def worker() -> None:
        while events:
            async with running(Consumer(ModelSink(ORDERS), feed, pool)):
                await asyncio.sleep(random.uniform(0, 0.03))

    async def writer() -> None:
        while events:
            feed.append(*(events.pop(0) for _ in range(min(5, len(events)))))
            await asyncio.sleep(random.uniform(0, 0.005))

    await asyncio.gather(worker(), worker(), writer())
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    assert await rows(pool) == expected(feed)


async def test_a_worker_that_stands_by_takes_over(pool: Pool) -> None:
    feed = FakeFeed("orders")
    first, second = Consumer(ModelSink(ORDERS), feed, pool), Consumer(ModelSink(ORDERS), feed, pool)
    async with running(second):
        async with running(first):
            for n in range(20):
                feed.append(*told((placed,), order_id(n)))
                await asyncio.sleep(0.002)
        feed.append(*told((placed,), order_id(100)))
        await until(lambda: second.health.floor == len(feed.log))
    assert await rows(pool) == expected(feed)


async def test_a_stopped_consumer_says_so_in_the_database(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    await consumer.open()
    feed.incarnation = uuid4()

    async def reported() -> bool:
        async with pool.connection() as connection:
            found = await (
                await connection.execute("SELECT status, reason, head FROM projections.checkpoints")
            ).fetchall()
        return [(status, "chobo replay start" in (reason or ""), head) for status, reason, head in found] == [
            ("STOPPED", True, 1)
        ]

    async with running(consumer):
        await until(reported)


@pytest.mark.parametrize("error", [psycopg.OperationalError("log is away"), OSError("no route"), TimeoutError()])
async def test_a_log_that_is_away_is_waited_for(pool: Pool, error: Exception) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    feed.away = error
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    async with running(consumer):
        await until(lambda: consumer.health.reason is not None and consumer.health.status is Status.WAITING)
        feed.away = None
        await until(lambda: consumer.health.floor == 1 and consumer.health.status is Status.RUNNING)


async def test_a_lost_database_connection_is_waited_for(pool: Pool, database: str) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    async with running(consumer):
        await until(lambda: consumer.health.floor == 1)
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        feed.append(*told((placed,), order_id(2)))
        await until(lambda: consumer.health.floor == 2)
    assert await rows(pool) == expected(feed)


async def test_another_incarnation_of_the_log_stops_the_consumer(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    checkpoint = await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    feed.incarnation = uuid4()
    feed.append(*told((placed,), order_id(2)))
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    async with running(consumer):
        await until(lambda: consumer.health.status is Status.STOPPED)
        assert f"followed {checkpoint.incarnation}" in (consumer.health.reason or "")
    assert set(await rows(pool)) == {order_id(1)}


async def test_a_log_shorter_than_the_checkpoint_stops_the_consumer(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed, confirmed), order_id(1)))
    checkpoint = await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    feed.log.pop()
    with pytest.raises(Stopped, match="the log ends at 1, orders@1 has seen 2"):
        await Consumer(ModelSink(ORDERS), feed, pool).step(checkpoint)


async def test_what_was_read_too_long_ago_is_read_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key may be gone meanwhile: what was opened with it must not get into rows that were cleared."""
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    slow = Consumer(ModelSink(ORDERS), feed, pool)
    checkpoint = await slow.open()
    with monkeypatch.context() as patch:
        patch.setattr("projections.consumer.BATCH_LIFE", -1.0)
        with pytest.raises(Outdated):
            await slow.step(checkpoint)
    assert await rows(pool) == {}
    assert (await slow.step(checkpoint)).floor == 1


async def test_what_takes_too_long_is_read_in_smaller_batches(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    class SlowFeed(FakeFeed):
        async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
            batch = await super().read(checkpoint, limit)
            await asyncio.sleep(0.1 * len(batch.recorded))
            return batch

    monkeypatch.setattr("projections.consumer.BATCH_LIFE", 0.5)
    feed = SlowFeed("orders", [event for n in range(16) for event in told((placed,), order_id(n))])
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    async with running(consumer):
        await until(lambda: consumer.health.floor == 16)
    assert await rows(pool) == expected(feed)


async def test_a_log_restored_from_an_older_copy_stops_the_consumer_until_it_is_the_right_one(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed, confirmed), order_id(1)))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    newest = feed.log.pop()
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    async with running(consumer):
        await until(lambda: consumer.health.status is Status.STOPPED)
        assert "Set the address of the right one, or, if it was restored: chobo log" in (consumer.health.reason or "")
        feed.log.append(newest)
        feed.append(*told((placed,), order_id(2)))
        await until(lambda: consumer.health.status is Status.RUNNING and consumer.health.floor == 3)


async def test_a_clock_that_jumps_back_changes_nothing(pool: Pool) -> None:
    """Neither the order of events nor what is applied depends on times."""
    feed = FakeFeed("orders")
    for n, each in enumerate(some_events(4, 20)):
        event = each.model_copy(update={"timestamp": AT - timedelta(days=n)})
        feed.append(event)
        feed.log[-1] = feed.log[-1]._replace(recorded_at=AT - timedelta(days=n))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    assert await rows(pool) == expected(feed)


async def test_a_generation_that_is_dropped_under_its_worker_raises_no_alarm(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    async with pool.connection() as connection:
        await connection.execute("DROP SCHEMA orders_1 CASCADE")
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    async with running(Consumer(ModelSink(ORDERS), feed, pool)):
        await until(lambda: feed.reads > 0)
        await asyncio.sleep(0.5)  # it is ended within a second
    assert caplog.text == ""


async def test_a_missing_table_is_no_fault_of_the_events(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE orders_1.orders RENAME TO away")
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    async with running(consumer):
        await until(lambda: consumer.health.status is Status.STOPPED)
        assert "UndefinedTable" in (consumer.health.reason or "")
        async with pool.connection() as connection:
            await connection.execute("ALTER TABLE orders_1.away RENAME TO orders")
        await until(lambda: consumer.health.status is Status.RUNNING)
    assert await rows(pool) == expected(feed)
