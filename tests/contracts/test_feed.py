"""What every feed promises its consumers: the fake of the tests, the log itself, and its topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Protocol
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from domain.ids import SLICES, slice_of
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.kafka.kafka_feed import KafkaFeed
from infra.kafka.relay import Relay
from infra.kafka.topics import Topics
from projections.checkpoint import Checkpoint
from projections.consumer import Consumer
from projections.feed import Batch, Feed, Recorded, Unreadable
from projections.models import MODELS
from projections.orders.projector import ORDERS, orders
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from tests.domain.orders.samples import CUSTOMER, cancel_pending, confirmed, placed, tea_shipped
from tests.projections.fakes import AT, FakeFeed
from tests.projections.stories import order_id, told
from tests.projections.test_consumer import expected, running, until

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
    def __init__(self, database: str, feed: Feed, wakeups: Wakeups) -> None:
        self.feed = feed
        self.wakeups = wakeups
        self._database = database
        self._mapper = EventMapper(OneKey())

    async def append(self, *events: Event) -> None:
        async with await AsyncConnection.connect(self._database) as connection:
            for event in events:
                values = [event.originator_id, event.originator_version, *self._stored(event), "anonymous"]
                await connection.execute(INSERT, values)
        _, head = await self.feed.head()
        self.wakeups.written("orders", head)

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


@asynccontextmanager
async def published(database: str, topics: Topics, consumer: str = "orders@1") -> AsyncIterator[StoredSource]:
    """The same log, with a relay at work and a feed on its topic."""
    async with stored(database) as source, AsyncConnectionPool(database, max_size=4, open=False) as pool:
        relay = asyncio.create_task(Relay(database, "orders", topics, source.wakeups).run())
        reader = LogReader(pool, "orders", OneKey())
        try:
            async with KafkaFeed(topics, pool, reader, consumer, look=10) as feed:
                yield StoredSource(database, feed, source.wakeups)
        finally:
            relay.cancel()
            await asyncio.wait({relay})


@pytest.fixture(params=["fake", "store", pytest.param("kafka", marks=pytest.mark.requires("kafka"))])
async def source(request: pytest.FixtureRequest, database: str) -> AsyncIterator[Source]:
    if request.param == "fake":
        yield FakeSource()
        return
    kafka = request.param == "kafka"
    async with published(database, request.getfixturevalue("topics")) if kafka else stored(database) as source:
        yield source


@pytest.fixture(params=["store", pytest.param("kafka", marks=pytest.mark.requires("kafka"))])
async def log(request: pytest.FixtureRequest, database: str) -> AsyncIterator[StoredSource]:
    """A log in a database that has read models too."""
    await prepare(database, MODELS)
    kafka = request.param == "kafka"
    async with published(database, request.getfixturevalue("topics")) if kafka else stored(database) as source:
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


async def caught(source: Source, checkpoint: Checkpoint, number: int) -> tuple[list[Recorded], Checkpoint]:
    """What a consumer is given until it has so many events, and where it stands then; in order of position."""
    recorded: list[Recorded] = []
    async with asyncio.timeout(30):
        while len(recorded) < number:
            batch = await read(source, checkpoint)
            recorded += batch.recorded
            if not batch.recorded:
                await source.feed.wait(checkpoint, 1)
            checkpoint = Checkpoint(checkpoint.incarnation, batch.floor, {**checkpoint.slices, **batch.slices})
    return sorted(recorded, key=lambda one: one.position), checkpoint


async def read(source: Source, checkpoint: Checkpoint, limit: int = 100) -> Batch:
    """A batch, which says how far it goes: beyond the checkpoint, in order, and no further than it moves."""
    batch = await source.feed.read(checkpoint, limit)
    moved = Checkpoint(batch.incarnation, batch.floor, {**checkpoint.slices, **batch.slices})
    seen = {slice: checkpoint.of(slice) for slice in range(SLICES)}
    for recorded in batch.recorded:
        assert seen[recorded.slice] < recorded.position <= moved.of(recorded.slice)
        seen[recorded.slice] = recorded.position
    return batch


def positions(recorded: Sequence[Recorded]) -> list[int]:
    return [one.position for one in recorded]


async def test_events_come_in_order_and_whole(source: Source) -> None:
    events = some()
    await source.append(*events)
    recorded, checkpoint = await caught(source, await at(source, 0), 4)
    assert [one.event for one in recorded] == events
    assert positions(recorded) == [1, 2, 3, 4]
    assert [one.slice for one in recorded] == [slice_of(e.originator_id) for e in events]
    assert {(one.correlation_id, one.actor) for one in recorded} == {("test", "anonymous")}
    assert all(checkpoint.of(one.slice) >= one.position for one in recorded)


async def test_what_was_seen_does_not_come_again(source: Source) -> None:
    await source.append(*some())
    recorded, checkpoint = await caught(source, await at(source, 1), 3)
    assert positions(recorded) == [2, 3, 4]
    assert (await read(source, checkpoint)).recorded == []


async def test_no_more_come_than_asked_for(source: Source) -> None:
    await source.append(*some())
    _, checkpoint = await caught(source, await at(source, 0), 4)
    await source.append(*told((placed, confirmed, cancel_pending), order_id(3)))
    async with asyncio.timeout(30):
        while not (batch := await read(source, checkpoint, 2)).recorded:
            await source.feed.wait(checkpoint, 1)
    assert positions(batch.recorded) == [5, 6]


async def test_what_the_checkpoint_does_not_cover_is_given_again(source: Source) -> None:
    """A consumer whose transaction failed reads once more."""
    await source.append(*some())
    start = await at(source, 0)
    first, _ = await caught(source, start, 4)
    assert (await caught(source, start, 4))[0] == first


async def test_when_there_is_nothing_new_the_checkpoint_stays(source: Source) -> None:
    await source.append(*some())
    _, checkpoint = await caught(source, await at(source, 0), 4)
    batch = await read(source, checkpoint)
    assert (batch.floor, batch.head, batch.slices, batch.recorded) == (checkpoint.floor, 4, {}, [])


async def test_an_empty_log_has_an_incarnation_which_stays(source: Source) -> None:
    start = await at(source, 0)
    batch = await read(source, start)
    assert (batch.incarnation, batch.floor, batch.head) == (start.incarnation, 0, 0)
    await source.append(*some())
    assert (await source.feed.head()) == (start.incarnation, 4)


async def test_an_event_that_cannot_be_read_comes_in_its_place(source: Source) -> None:
    before, after = told((placed,), order_id(1)), told((placed,), order_id(2))
    await source.append(*before, lost(), *after)
    recorded, _ = await caught(source, await at(source, 0), 3)
    assert positions(recorded) == [1, 2, 3]
    assert isinstance(stranger := recorded[1].event, Unreadable)
    assert stranger.topic == "orders.order-lost"
    assert "unknown" in stranger.reason


async def test_waiting_ends_when_something_is_appended(source: Source) -> None:
    await source.append(*some())
    _, checkpoint = await caught(source, await at(source, 0), 4)
    await read(source, checkpoint)
    waiting = asyncio.create_task(source.feed.wait(checkpoint, 30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await source.append(*told((placed,), order_id(3)))
    async with asyncio.timeout(5):
        await waiting


async def test_what_is_there_already_is_not_waited_for(source: Source) -> None:
    await source.append(*some())
    await caught(source, await at(source, 0), 4)
    async with asyncio.timeout(5):
        await source.feed.wait(await at(source, 3), 30)


async def test_waiting_ends_in_time(source: Source) -> None:
    await read(source, start := await at(source, 0))
    started = monotonic()
    await source.feed.wait(start, 0.05)
    assert monotonic() - started < 5


async def test_a_consumer_folds_what_the_log_holds_and_parks_what_it_cannot_read(
    log: StoredSource, database: str
) -> None:
    events = some()
    async with AsyncConnectionPool(database, max_size=4, open=False) as pool:
        consumer = Consumer(ModelSink(ORDERS), log.feed, pool)
        async with running(consumer):
            await log.append(*events)
            await until(lambda: consumer.health.done == 4, 30)
            await log.append(lost(), *told((placed,), order_id(3)))
            await until(lambda: rows_of(pool, {order_id(n) for n in (1, 2, 3)}), 30)
            await until(lambda: parked(pool, (5, "orders.order-lost", "UnknownEventType orders orders.order-lost")), 30)
        async with pool.connection() as connection:
            rows = await orders.table.load(connection, "reads", [order_id(1)])
    assert rows[order_id(1)].address == expected(FakeFeed("orders", events))[order_id(1)].address
    assert rows[order_id(1)].customer_id == CUSTOMER


async def rows_of(pool: Pool, wanted: set[UUID]) -> bool:
    async with pool.connection() as connection:
        return set(await orders.table.load(connection, "reads", list(wanted))) == wanted


async def parked(pool: Pool, wanted: tuple[int, str, str]) -> bool:
    async with pool.connection() as connection:
        query = "SELECT position, event_type, fingerprint FROM projections.parked"
        return await (await connection.execute(query)).fetchall() == [wanted]


async def test_a_log_in_a_new_incarnation_stops_the_consumer(log: StoredSource, database: str) -> None:
    async with AsyncConnectionPool(database, max_size=4, open=False) as pool:
        consumer = Consumer(ModelSink(ORDERS), log.feed, pool)
        before, _ = await log.feed.head()
        async with running(consumer):
            await log.append(*some())
            await until(lambda: consumer.health.done == 4, 30)
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("INSERT INTO orders.incarnation (head, reason) VALUES (4, 'restored')")
            await log.append(*told((placed, confirmed, tea_shipped), order_id(3)))
            await until(lambda: f"followed {before}" in (consumer.health.reason or ""), 30)
        assert not await rows_of(pool, {order_id(3)})
