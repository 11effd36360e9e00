"""What every feed promises its consumers: the fake of the tests and the log itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Protocol
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from domain.ids import slice_of
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from projections.checkpoint import Checkpoint
from projections.consumer import Consumer
from projections.feed import Batch, Feed, Unreadable
from projections.models import MODELS
from projections.orders.projector import ORDERS, orders
from projections.schema import prepare
from projections.sink import ModelSink
from tests.domain.orders.samples import CUSTOMER, cancel_pending, confirmed, placed, tea_shipped
from tests.projections.fakes import AT, FakeFeed
from tests.projections.stories import order_id, told
from tests.projections.test_consumer import caught_up, expected, running, until

INSERT = """
INSERT INTO orders.stored_events (
    originator_id, originator_version, topic, state, notification_id, correlation_id, actor)
SELECT %s, %s, %s, %s, coalesce(max(notification_id), 0) + 1, 'test', %s FROM orders.stored_events
"""


class OneKey:
    """The same personal-data key for everybody."""

    def get(self, owner: UUID) -> bytes | None:
        return b"k" * 32

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        pass


class Source(Protocol):
    """A log to which tests append, and its feed."""

    @property
    def feed(self) -> Feed: ...

    async def append(self, *events: Event) -> None: ...


class FakeSource:
    def __init__(self) -> None:
        self.feed = FakeFeed("orders")

    async def append(self, *events: Event) -> None:
        self.feed.append(*events)


class StoredSource:
    def __init__(self, database: str, feed: StoreFeed, wakeups: Wakeups) -> None:
        self.feed = feed
        self._database = database
        self._wakeups = wakeups
        self._mapper = EventMapper(OneKey())

    async def append(self, *events: Event) -> None:
        async with await AsyncConnection.connect(self._database) as connection:
            for event in events:
                values = [event.originator_id, event.originator_version, *self._stored(event), "anonymous"]
                await connection.execute(INSERT, values)
        _, head = await self.feed.head()
        self._wakeups.written("orders", head)

    def _stored(self, event: Event) -> tuple[str, bytes]:
        return (event.topic, b"{}") if isinstance(event, Unreadable) else (event.TOPIC, self._mapper.encode(event))


@asynccontextmanager
async def stored(database: str) -> AsyncIterator[StoredSource]:
    await migrate(database, ["orders"])
    async with AsyncConnectionPool(database, min_size=1, max_size=8, open=False) as pool:
        wakeups = Wakeups(database, pool, ["orders"])
        wakeups.open()
        try:
            yield StoredSource(database, StoreFeed(LogReader(pool, "orders", OneKey()), wakeups), wakeups)
        finally:
            await wakeups.close()


@pytest.fixture(params=["fake", "store"])
async def source(request: pytest.FixtureRequest, database: str) -> AsyncIterator[Source]:
    if request.param == "fake":
        yield FakeSource()
        return
    async with stored(database) as source:
        yield source


def some() -> list[Event]:
    return [*told((placed, confirmed, cancel_pending), order_id(1)), *told((placed,), order_id(2))]


def lost() -> Unreadable:
    return Unreadable(
        originator_id=uuid4(), originator_version=1, timestamp=AT, topic="orders.order-lost", reason="unknown"
    )


async def at(source: Source, floor: int) -> Checkpoint:
    incarnation, _ = await source.feed.head()
    return Checkpoint(incarnation, floor)


def positions(batch: Batch) -> list[int]:
    return [recorded.position for recorded in batch.recorded]


async def test_events_come_in_order_and_whole(source: Source) -> None:
    events = some()
    await source.append(*events)
    batch = await source.feed.read(await at(source, 0), 100)
    assert [recorded.event for recorded in batch.recorded] == events
    assert (positions(batch), batch.floor, batch.head) == ([1, 2, 3, 4], 4, 4)
    assert [recorded.slice for recorded in batch.recorded] == [slice_of(e.originator_id) for e in events]
    assert {(recorded.correlation_id, recorded.actor) for recorded in batch.recorded} == {("test", "anonymous")}


async def test_no_more_come_than_asked_for_and_none_that_were_seen(source: Source) -> None:
    await source.append(*some())
    batch = await source.feed.read(await at(source, 1), 2)
    assert (positions(batch), batch.floor, batch.head) == ([2, 3], 3, 4)


async def test_when_there_is_nothing_new_the_floor_stays(source: Source) -> None:
    await source.append(*some())
    assert ((batch := await source.feed.read(await at(source, 4), 100)).floor, batch.head, positions(batch)) == (
        4,
        4,
        [],
    )
    assert ((batch := await source.feed.read(await at(source, 1), 0)).floor, batch.head, positions(batch)) == (1, 4, [])


async def test_an_empty_log_has_an_incarnation_which_stays(source: Source) -> None:
    batch = await source.feed.read(await at(source, 0), 100)
    assert (batch.floor, batch.head) == (0, 0)
    await source.append(*some())
    assert (await source.feed.read(await at(source, 2), 100)).incarnation == batch.incarnation


async def test_an_event_that_cannot_be_read_comes_in_its_place(source: Source) -> None:
    before, after = told((placed,), order_id(1)), told((placed,), order_id(2))
    await source.append(*before, lost(), *after)
    batch = await source.feed.read(await at(source, 0), 100)
    assert positions(batch) == [1, 2, 3]
    assert isinstance(stranger := batch.recorded[1].event, Unreadable)
    assert stranger.topic == "orders.order-lost"
    assert "unknown" in stranger.reason


async def test_waiting_ends_when_something_is_appended(source: Source) -> None:
    await source.append(*some())
    waiting = asyncio.create_task(source.feed.wait(await at(source, 4), 30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await source.append(*told((placed,), order_id(3)))
    async with asyncio.timeout(5):
        await waiting


async def test_what_is_there_already_is_not_waited_for(source: Source) -> None:
    await source.append(*some())
    async with asyncio.timeout(5):
        await source.feed.wait(await at(source, 3), 30)


async def test_waiting_ends_in_time(source: Source) -> None:
    started = monotonic()
    await source.feed.wait(await at(source, 0), 0.05)
    assert 0.04 < monotonic() - started < 5


async def test_a_consumer_folds_what_the_log_holds_and_parks_what_it_cannot_read(database: str) -> None:
    await prepare(database, MODELS)
    events = some()
    async with stored(database) as source, AsyncConnectionPool(database, max_size=4, open=False) as pool:
        consumer = Consumer(ModelSink(ORDERS), source.feed, pool)
        async with running(consumer):
            await source.append(*events)
            await until(lambda: consumer.health.floor == 4)
            await source.append(lost(), *told((placed,), order_id(3)))
            await until(lambda: consumer.health.floor == 6)
        async with pool.connection() as connection:
            query = "SELECT position, event_type, fingerprint FROM projections.parked"
            assert await (await connection.execute(query)).fetchall() == [
                (5, "orders.order-lost", "UnknownEventType orders orders.order-lost")
            ]
            rows = await orders.table.load(connection, "reads", [order_id(n) for n in (1, 2, 3)])
    assert set(rows) == {order_id(1), order_id(2), order_id(3)}
    assert rows[order_id(1)].address == expected(FakeFeed("orders", events))[order_id(1)].address
    assert rows[order_id(1)].customer_id == CUSTOMER


async def test_a_log_in_a_new_incarnation_stops_the_consumer(database: str) -> None:
    await prepare(database, MODELS)
    async with stored(database) as source, AsyncConnectionPool(database, max_size=4, open=False) as pool:
        await source.append(*some())
        checkpoint = await caught_up(Consumer(ModelSink(ORDERS), source.feed, pool))
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("INSERT INTO orders.incarnation (head, reason) VALUES (4, 'restored')")
        await source.append(*told((placed, confirmed, tea_shipped), order_id(3)))
        consumer = Consumer(ModelSink(ORDERS), source.feed, pool)
        async with running(consumer):
            await until(lambda: f"followed {checkpoint.incarnation}" in (consumer.health.reason or ""))
