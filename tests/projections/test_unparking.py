"""What is parked is looked at, tried again, or passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.event import Event
from domain.orders.events import OrderConfirmed
from projections.consumer import Consumer
from projections.orders.projector import ORDERS, orders
from projections.orders.row import OrderRow
from projections.parked import Group, Parked, Total, Wanted, groups, listed, shown, totals
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink, model_sinks
from projections.unparking import NotParked, OtherEvent, OtherLog, Retries
from tests.domain.orders.samples import confirmed, placed, tea_shipped
from tests.full import size
from tests.projections.fakes import FakeFeed, FakeStreams, folded
from tests.projections.stories import order_id, told
from tests.projections.tallies import TALLIES, tallied
from tests.projections.test_consumer import a_bug, caught_up, rows, running, some_events, until

SICK = told((placed, confirmed, tea_shipped), order_id(1))
HEALTHY = told((placed, confirmed), order_id(2))


class Shop:
    """Orders followed by one consumer, and what is parked of them."""

    def __init__(self, pool: Pool, events: list[Event]) -> None:
        self.pool = pool
        self.feed = FakeFeed("orders", events)
        self.retries = Retries(pool, model_sinks([ORDERS]), {"orders": FakeStreams(self.feed)})

    async def follow(self) -> None:
        await caught_up(Consumer(ModelSink(ORDERS), self.feed, self.pool))

    async def parked(self, wanted: Wanted = Wanted()) -> list[Parked]:
        async with self.pool.connection() as connection:
            return await listed(connection, wanted)

    async def only(self) -> Parked:
        (found,) = await self.parked()
        return found

    async def row(self, number: int = 1) -> OrderRow:
        return (await rows(self.pool))[order_id(number)]

    def all_folded(self) -> dict[UUID, OrderRow]:
        return folded(ORDERS, self.feed.log)[orders]


@contextmanager
def bug_at(*positions: int, of: Any = orders) -> Iterator[None]:
    """The projector fails at these events."""
    apply = of.apply

    def fails(row: Any, recorded: Any) -> Any:
        if recorded.position in positions:
            raise ZeroDivisionError(f"at {recorded.position}")
        return apply(row, recorded)

    of.apply = fails
    try:
        yield
    finally:
        of.apply = apply


@pytest.fixture
async def shop(pool: Pool) -> Shop:
    """The first order is parked at its second event, with one that waits behind it."""
    shop = Shop(pool, [*SICK, *HEALTHY])
    with bug_at(2):
        await shop.follow()
    return shop


async def test_a_retry_catches_up_in_order_when_the_bug_is_gone(shop: Shop) -> None:
    tried = await shop.retries.retry((await shop.only()).id)
    assert (tried.applied, tried.left) == (2, None)
    assert await shop.parked() == []
    assert await rows(shop.pool) == shop.all_folded()


async def test_a_retry_parks_again_where_it_fails_again(shop: Shop) -> None:
    before = await shop.only()
    with bug_at(2):
        tried = await shop.retries.retry(before.id)
    after = await shop.only()
    assert (tried.applied, tried.left) == (0, after)
    assert (after.position, after.waiting, after.attempts, after.reason) == (2, 1, 2, "ZeroDivisionError: at 2")
    assert after.tried_at > before.tried_at
    assert after.parked_at == before.parked_at


async def test_a_retry_that_fails_later_keeps_what_it_applied(shop: Shop) -> None:
    with bug_at(3):
        tried = await shop.retries.retry((await shop.only()).id)
    after = await shop.only()
    assert (tried.applied, tried.left) == (1, after)
    assert (after.position, after.version, after.event_id) == (3, 3, shop.feed.log[2].event_id)
    assert (after.waiting, after.attempts) == (0, 2)
    assert (await shop.row()).version == 2
    assert (await shop.retries.retry(after.id)).left is None
    assert await rows(shop.pool) == shop.all_folded()


async def test_what_the_database_refuses_in_a_retry_parks_again(shop: Shop) -> None:
    async with shop.pool.connection() as connection:
        await connection.execute(
            "ALTER TABLE orders_1.orders ADD CONSTRAINT unsent CHECK (json_array_length(shipments) = 0)"
        )
    tried = await shop.retries.retry((await shop.only()).id)
    assert tried.left is not None
    assert (tried.applied, tried.left.position) == (1, 3)
    assert "CheckViolation" in tried.left.reason
    assert (await shop.row()).version == 2


async def test_a_retry_over_a_row_that_cannot_be_read_leaves_nothing_out(shop: Shop) -> None:
    async with shop.pool.connection() as connection:
        await connection.execute("UPDATE orders_1.orders SET status = 'LOST' WHERE id = %s", [order_id(1)])
    tried = await shop.retries.retry((await shop.only()).id)
    assert tried.left is not None
    assert (tried.applied, tried.left.position, tried.left.waiting) == (0, 2, 1)
    async with shop.pool.connection() as connection:
        await connection.execute("UPDATE orders_1.orders SET status = 'PLACED' WHERE id = %s", [order_id(1)])
    assert (await shop.retries.retry(tried.left.id)).left is None
    assert await rows(shop.pool) == shop.all_folded()


async def test_a_dry_run_tells_what_a_retry_would_do_and_changes_nothing(shop: Shop) -> None:
    before = await shop.only()
    tried = await shop.retries.dry_run(before.id)
    assert (tried.applied, tried.left, tried.whole) == (2, None, True)
    with bug_at(3):
        tried = await shop.retries.dry_run(before.id)
        assert tried.left is not None
        assert (tried.applied, tried.left.position) == (1, 3)
    assert await shop.only() == before
    assert (await shop.row()).version == 1


async def test_a_discard_passes_over_one_event_and_tries_what_is_behind_it(shop: Shop) -> None:
    before = await shop.only()
    with bug_at(2):
        tried = await shop.retries.discard(before.id, before.event_id)
    assert (tried.applied, tried.left) == (1, None)
    row = await shop.row()
    assert row.version == 3
    assert [entry.version for entry in row.timeline] == [1, 3]


async def test_asking_twice_for_a_discard_does_not_discard_the_next_one(shop: Shop) -> None:
    before = await shop.only()
    with bug_at(2, 3):
        await shop.retries.discard(before.id, before.event_id)
        assert (await shop.only()).position == 3
        with pytest.raises(OtherEvent, match=f"waits at event {shop.feed.log[2].event_id} now"):
            await shop.retries.discard(before.id, before.event_id)
    assert (await shop.only()).position == 3


async def test_what_is_not_parked_any_more_cannot_be_tried(shop: Shop) -> None:
    id = (await shop.only()).id
    await shop.retries.retry(id)
    for again in (shop.retries.retry(id), shop.retries.dry_run(id), shop.retries.discard(id, uuid4())):
        with pytest.raises(NotParked, match=str(id)):
            await again


async def test_a_restored_log_is_not_read_for_what_was_parked_before(shop: Shop) -> None:
    shop.feed.incarnation = uuid4()
    with pytest.raises(OtherLog, match="must be built anew"):
        await shop.retries.retry((await shop.only()).id)


async def test_a_long_stream_is_tried_in_stretches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each a transaction of its own: what one has done stays done when the next is cut short."""
    monkeypatch.setattr("projections.unparking.STRETCH", 1)
    streams = FakeStreams(shop.feed)
    retries = Retries(shop.pool, model_sinks([ORDERS]), {"orders": streams})
    streams.away_after = 1
    with pytest.raises(OSError, match="away"):
        await retries.retry((await shop.only()).id)
    between = await shop.only()
    assert (between.position, between.waiting, between.attempts) == (3, 0, 1)
    assert between.reason == "a retry was ended here: try again"
    assert (await shop.row()).version == 2
    assert streams.most == 2
    streams.away_after = None
    tried = await retries.retry(between.id)
    assert (tried.applied, tried.left) == (1, None)
    assert await rows(shop.pool) == shop.all_folded()


async def test_events_that_come_during_retries_are_neither_lost_nor_repeated(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.unparking.STRETCH", 2)
    events = some_events(3, 30)
    shop = Shop(pool, [])
    with a_bug(OrderConfirmed):
        async with running(Consumer(ModelSink(ORDERS), shop.feed, pool)):
            while events:
                shop.feed.append(*(events.pop(0) for _ in range(min(3, len(events)))))
                for parked in await shop.parked():
                    await shop.retries.retry(parked.id)
    consumer = Consumer(ModelSink(ORDERS), shop.feed, pool)
    async with running(consumer):
        for parked in await shop.parked():
            await shop.retries.retry(parked.id)
        await until(lambda: consumer.health.floor == len(shop.feed.log))
    for parked in await shop.parked():
        await shop.retries.retry(parked.id)
    assert await shop.parked() == []
    assert await rows(pool) == shop.all_folded()


async def test_what_is_parked_can_be_listed_counted_and_grouped(pool: Pool) -> None:
    shop = Shop(pool, [*SICK, *told((placed, confirmed), order_id(2)), *told((placed,), order_id(3))])
    with a_bug(OrderConfirmed):
        await shop.follow()
    first, second = await shop.parked()
    assert (first.sequence, first.waiting, second.sequence, second.waiting) == (order_id(1), 1, order_id(2), 0)
    fingerprint = "ZeroDivisionError orders orders.order-confirmed"
    assert {first.fingerprint, second.fingerprint} == {fingerprint}
    assert await shop.parked(Wanted(sequence=order_id(2))) == [second]
    assert await shop.parked(Wanted("orders@1", "orders", fingerprint)) == [first, second]
    assert await shop.parked(Wanted(consumer="orders@2")) == []
    async with pool.connection() as connection:
        assert await listed(connection, limit=1, after=first) == [second]
        assert await shown(connection, first.id) == first
        assert await shown(connection, uuid4()) is None
        assert await totals(connection) == [Total("orders@1", "orders", 2, 1)]
        assert await groups(connection) == [Group(fingerprint, 2, 1, "ZeroDivisionError: a bug", first.parked_at)]


async def test_what_waits_can_be_looked_at(shop: Shop) -> None:
    waiting = await shop.retries.waiting((await shop.only()).id)
    assert [recorded.event for recorded in waiting] == SICK[1:]


@pytest.mark.full("parked")
async def test_a_long_sequence_catches_up_while_the_consumer_goes_on(pool: Pool, database: str) -> None:
    """In bounded memory and in order, however much of it waits, and more comes meanwhile."""
    await prepare(database, [TALLIES])
    number, many = order_id(1), size(2_500, 100_000)
    feed = FakeFeed("orders", [placed(number, 1), *(confirmed(number, version) for version in range(2, many))])
    sink, streams = ModelSink(TALLIES), FakeStreams(feed)
    with bug_at(1, of=tallied):
        await caught_up(Consumer(sink, feed, pool))
    async with pool.connection() as connection:
        (parked,) = await listed(connection)
    assert (parked.position, parked.waiting) == (1, many - 2)

    async def more() -> None:
        for version in range(many, many + 200):
            feed.append(confirmed(number, version), *told((placed,), order_id(version)))
            await asyncio.sleep(0.001)

    consumer = Consumer(sink, feed, pool)
    async with running(consumer):
        writing = asyncio.create_task(more())
        tried = await Retries(pool, lambda _: sink, {"orders": streams}).retry(parked.id)
        await writing
        await until(lambda: consumer.health.floor == len(feed.log), timeout=60)
    assert tried.left is None
    assert streams.most <= 1_001
    async with pool.connection() as connection:
        assert await listed(connection) == []
        rows = await tallied.table.load(connection, "reads", [number])
    assert (rows[number].version, rows[number].events) == (many + 199, many + 199)


async def test_a_dry_run_looks_at_the_first_stretches_only(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.unparking.STRETCH", 1)
    monkeypatch.setattr("projections.unparking.DRY_RUN", 1)
    before = await shop.only()
    tried = await shop.retries.dry_run(before.id)
    assert (tried.applied, tried.whole) == (1, False)
    assert await shop.only() == before
