"""Several workers of one consumer, each with some of the slices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

import pytest

from domain.ids import SLICES, slice_of
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from projections.checkpoint import Checkpoint, Checkpoints, Fenced, Progress
from projections.consumer import BATCH, Consumer, Status
from projections.model import Model
from projections.models import MODELS
from projections.orders.projector import ORDERS, orders
from projections.pool import Connection, Pool
from projections.schema import prepare
from projections.sink import ModelSink
from tests.contracts.test_feed import OneKey, StoredSource, stored
from tests.domain.orders.samples import confirmed, placed
from tests.projections.fakes import FakeFeed, folded
from tests.projections.stories import order_id, told
from tests.projections.tallies import TALLIES, recomputed, tallied
from tests.projections.test_consumer import caught_up, rows, running, some_events, until

LEFT, RIGHT = range(SLICES // 2), range(SLICES // 2, SLICES)
BOOKS = Checkpoints("orders@1", "orders")


class Log:
    def __init__(self, source: StoredSource, pool: Pool) -> None:
        self.pool = pool
        self.append = source.append
        self._source = source
        self._reader = LogReader(pool, "orders", OneKey())

    def worker(self, slices: Iterable[int] | None = None, model: Model = ORDERS, *, limit: int = BATCH) -> Consumer:
        feed = StoreFeed(self._reader, self._source.wakeups, slices)
        return Consumer(ModelSink(model), feed, self.pool, limit=limit)

    async def head(self) -> int:
        return (await self._reader.head())[1]

    async def checkpoint(self, books: Checkpoints = BOOKS) -> Checkpoint:
        incarnation, _ = await self._reader.head()
        async with self.pool.connection() as connection:
            return await books.open(connection, incarnation)

    async def is_done(self, books: Checkpoints) -> bool:
        """In every slice."""
        head, checkpoint = await self.head(), await self.checkpoint(books)
        return all(checkpoint.of(slice) >= head for slice in range(SLICES))

    async def lift(self, position: int) -> bool:
        incarnation, _ = await self._reader.head()
        async with self.pool.connection() as connection:
            return await BOOKS.lift_floor(connection, incarnation, position)


@pytest.fixture
async def log(database: str, pool: Pool) -> AsyncIterator[Log]:
    await prepare(database, MODELS)
    async with stored(database) as source:
        yield Log(source, pool)


async def test_workers_with_half_of_the_slices_each_do_not_disturb_each_other(log: Log) -> None:
    events = some_events(5, 60)
    expected = folded(ORDERS, FakeFeed("orders", events).log)[orders]
    left, right = log.worker(LEFT), log.worker(RIGHT)
    seen: set[Status] = set()

    async def lifting() -> None:
        """A housekeeper who raises the floor whenever it may be raised."""
        while True:
            checkpoint = await log.checkpoint()
            await log.lift(min(map(checkpoint.of, range(SLICES))))
            seen.update((left.health.status, right.health.status))
            await asyncio.sleep(0.001)

    housekeeper = asyncio.create_task(lifting())
    async with running(left, right):
        while events:
            await log.append(*events[:7])
            del events[:7]
        head = await log.head()

        async def lifted() -> bool:
            return (await log.checkpoint()).floor == head

        await until(lifted)
    housekeeper.cancel()
    assert await rows(log.pool) == expected
    assert Status.STANDBY not in seen


async def test_workers_that_add_to_the_same_sums_do_not_lose_what_the_other_added(log: Log, database: str) -> None:
    await prepare(database, [TALLIES])
    events = some_events(8, 60)
    quarters = [range(n, SLICES, 4) for n in range(4)]
    workers = [log.worker(slices, TALLIES, limit=7) for slices in quarters]
    async with running(*workers):
        while events:
            await log.append(*events[:20])
            del events[:20]
        await until(lambda: log.is_done(Checkpoints("tallies@1", "orders")))
    async with log.pool.connection() as connection:
        rows = await tallied.table.load(connection, "reads", [order_id(n) for n in range(60)])
        query = "SELECT status, open, orders, events FROM reads.tallies WHERE orders <> 0 OR events <> 0"
        found = await (await connection.execute(query)).fetchall()
    assert {row[:2]: row[2:] for row in found} == {
        key: (sums.get("orders", 0), sums.get("events", 0)) for key, sums in recomputed(rows.values()).items()
    }
    assert len(rows) == 60


async def test_a_worker_whose_slices_another_one_moved_is_fenced_and_writes_nothing(log: Log) -> None:
    slow = log.worker(LEFT)
    seen = await slow.open()
    await log.append(*told((placed,), order_id(1)), *told((placed,), order_id(2)))
    await caught_up(log.worker(range(SLICES)))
    await log.append(*(e for n in range(3, 9) for e in told((placed,), order_id(n))))
    with pytest.raises(Fenced):
        await slow.step(seen)
    assert set(await rows(log.pool)) == {order_id(1), order_id(2)}


async def test_the_whole_log_goes_on_where_its_parts_ended_and_the_other_way_round(log: Log) -> None:
    events = some_events(6, 30)
    expected = folded(ORDERS, FakeFeed("orders", events).log)[orders]
    for worker in (log.worker(LEFT), log.worker(), log.worker(RIGHT), log.worker(LEFT), log.worker()):
        await log.append(*events[:25])
        del events[:25]
        await caught_up(worker)
    await log.append(*events)
    await caught_up(log.worker())
    assert await rows(log.pool) == expected
    assert (await log.checkpoint()).floor == await log.head()


async def test_what_a_worker_complained_of_is_taken_back(log: Log) -> None:
    """Who moves slices does not write the row that says how the consumer fares."""
    worker = log.worker(LEFT)

    async def told_of(status: str) -> bool:
        async with log.pool.connection() as connection:
            query = "SELECT status, reason IS NULL FROM projections.checkpoints"
            return await (await connection.execute(query)).fetchall() == [(status, status == "RUNNING")]

    async with running(worker):
        await until(lambda: told_of("RUNNING"))
        async with log.pool.connection() as connection:
            await connection.execute("ALTER TABLE orders_1.orders RENAME TO away")
        await log.append(*(e for n in range(9) for e in told((placed,), order_id(n))))
        await until(lambda: told_of("STOPPED"))
        async with log.pool.connection() as connection:
            await connection.execute("ALTER TABLE orders_1.away RENAME TO orders")
        await until(lambda: told_of("RUNNING"))


async def test_the_floor_is_not_lifted_above_a_slice_that_is_behind(log: Log) -> None:
    await log.append(*(e for n in range(10) for e in told((placed,), order_id(n))))
    await caught_up(log.worker(LEFT))
    assert not await log.lift(10)
    await caught_up(log.worker(RIGHT))
    assert not await log.lift(11)
    assert await log.lift(10)
    assert (await log.checkpoint()).floor == 10
    assert not await log.lift(10), "nothing to do"


async def test_slices_of_which_there_is_nothing_do_not_hold_the_floor_down(log: Log) -> None:
    """As the relay knows it: up to position 2 only one slice has anything."""
    await log.append(*told((placed, confirmed), order_id(1)))
    await caught_up(log.worker([slice_of(order_id(1))]))
    lasts = dict.fromkeys(range(SLICES), 0) | {slice_of(order_id(1)): 2}
    incarnation = (await log.checkpoint()).incarnation
    async with log.pool.connection() as connection:
        assert await BOOKS.lift_floor(connection, incarnation, 2, lasts)


async def test_a_slice_held_for_a_retry_holds_up_only_who_moves_it(log: Log) -> None:
    events = [e for n in range(40) for e in told((placed,), order_id(n))]
    await log.append(*events)
    held = next(slice_of(e.originator_id) for e in events if slice_of(e.originator_id) in LEFT)
    left, right = log.worker(LEFT), log.worker(RIGHT)
    await left.open()
    async with log.pool.connection() as connection:
        await BOOKS.lock_slice(connection, held)
        waiting = asyncio.create_task(caught_up(left))
        async with asyncio.timeout(5):
            await caught_up(right)
        assert not waiting.done()
        whole = asyncio.create_task(caught_up(log.worker()))
        await asyncio.sleep(0.05)
        assert not whole.done(), "who moves the floor waits too"
        whole.cancel()
        await asyncio.wait({whole})
    async with asyncio.timeout(5):
        await waiting
    assert len(await rows(log.pool)) == 40


async def test_what_is_parked_is_told_as_it_is_once_the_slice_is_held(log: Log) -> None:
    """A retry had it when somebody else began to wait for the slice."""
    mended, behind = order_id(1), order_id(2)
    await caught_up(log.worker([3]))
    expected = await log.checkpoint()
    async with log.pool.connection() as waits, log.pool.connection() as mends:
        await BOOKS.lock_slice(mends, 3)
        await park(mends, behind)
        to = Progress(expected.floor, {3: expected.of(3) + 1}, 1, None)
        locking = asyncio.create_task(BOOKS.lock(waits, expected, to, [mended, behind]))
        await until(lambda: held_up(log.pool))
        await mends.commit()
        held, parked = await (await locking).held()
        assert (held.of(3), [*parked]) == (expected.of(3), [behind])
        await waits.rollback()


async def park(connection: Connection, sequence: UUID) -> None:
    await connection.execute(
        "INSERT INTO projections.parked (id, consumer, context, sequence, slice, position, version, event_id,"
        " event_type, recorded_at, reason, fingerprint)"
        " VALUES (gen_random_uuid(), 'orders@1', 'orders', %s, 3, 1, 1, gen_random_uuid(), '', now(), '', '')",
        [sequence],
    )


async def held_up(pool: Pool) -> bool:
    """Whether anybody waits for a lock of another."""
    query = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with pool.connection() as connection:
        return bool((await connection.execute(query)).rowcount)


async def test_nothing_can_be_held_of_a_consumer_that_there_is_not(log: Log) -> None:
    async with log.pool.connection() as connection:
        with pytest.raises(Fenced):
            await Checkpoints("orders@9", "orders").lock_slice(connection, 1)
