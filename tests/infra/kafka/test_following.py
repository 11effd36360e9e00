"""Consumers that follow a topic end up with the very rows the log folds to, whatever happens to topic and group."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewPartitions, RecordsToDelete
from aiokafka.errors import CorruptRecordException, KafkaError
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from infra.event_log.reader import LogReader
from infra.kafka.broker import EmbeddedKafka
from infra.kafka.floors import Floors
from infra.kafka.kafka_feed import KafkaFeed
from infra.kafka.publisher import Publisher
from infra.kafka.topics import MESSAGE_LIMIT, Topics, admin
from infra.kafka.unpublished import Unpublished, read
from projections.checkpoint import Checkpoints, Progress
from projections.consumer import Status
from projections.models import MODELS
from projections.orders.projector import orders
from projections.orders.row import OrderRow
from projections.pool import Pool
from projections.schema import prepare
from tests.full import randomness, size
from tests.infra.kafka.following import Follower, following, reading
from tests.infra.kafka.logs import Log, OneKey, is_done, messages, opened, relay, relaying
from tests.infra.kafka.test_relay import running as broker_running
from tests.projections.fakes import FakeFeed
from tests.projections.stories import STORIES, mixed
from tests.projections.test_consumer import expected, running, some_events, until


@dataclass(frozen=True)
class Shop:
    """A log, the rows that are made of it, and what they should be."""

    log: Log
    reads: Pool
    events: FakeFeed

    async def append(self, *events: Event) -> None:
        self.events.append(*events)
        await self.log.append(*events)

    async def rows(self, ids: Iterable[UUID]) -> dict[UUID, OrderRow]:
        async with self.reads.connection() as connection:
            return await orders.table.load(connection, "reads", list(ids))

    async def becomes_right(self, timeout: float = 30) -> None:
        """The rows are those the events fold to, and nothing is parked."""
        wanted = expected(self.events)

        async def is_right() -> bool:
            await asyncio.sleep(0.05)
            return await self.rows(wanted) == wanted

        with suppress(TimeoutError):
            await until(is_right, timeout)
        assert await self.rows(wanted) == wanted, await self.told("SELECT * FROM projections.slice_checkpoints")
        assert await self.told("SELECT * FROM projections.parked") == []

    async def told(self, query: LiteralString) -> list[Any]:
        async with self.reads.connection() as connection:
            return await (await connection.execute(query)).fetchall()


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    await prepare(database, MODELS)
    reads: Pool = AsyncConnectionPool(database, max_size=8, open=False)
    async with opened(database) as log, reads:
        yield Shop(log, reads, FakeFeed("orders"))


@asynccontextmanager
async def published(shop: Shop, topics: Topics) -> AsyncIterator[None]:
    """Everything in the log is on the topic when the block begins."""
    leader = relay(shop.log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health) and leader.health.published == len(shop.events.log), 30)
        yield


async def test_the_topic_is_what_is_read(shop: Shop, topics: Topics) -> None:
    """The log is asked for nothing as long as the topic has it all."""
    events = some_events()
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads, look=60) as consumer:
        for start in range(0, len(events), 20):
            await shop.append(*events[start : start + 20])
            await asyncio.sleep(0.02)
        await shop.becomes_right()
    assert (consumer.feed.from_topic, consumer.feed.from_log) == (len(events), 0)


async def test_a_consumer_moves_from_the_log_to_the_topic_and_back(shop: Shop, topics: Topics) -> None:
    events = some_events()
    parts = [events[start : start + 30] for start in range(0, len(events), 30)]
    async with relaying(relay(shop.log, topics)):
        for n, part in enumerate(parts):
            feed = following(shop.log, topics, shop.reads) if n % 2 else reading(shop.log, shop.reads)
            async with feed:
                await shop.append(*part)
                await shop.becomes_right()


async def test_two_workers_at_once_on_log_and_topic_do_each_other_no_harm(shop: Shop, topics: Topics) -> None:
    """As while processes of the old and the new setting run side by side."""
    events = some_events()
    on_topic, on_log = following(shop.log, topics, shop.reads), reading(shop.log, shop.reads)
    async with relaying(relay(shop.log, topics)), on_topic, on_log:
        for start in range(0, len(events), 20):
            await shop.append(*events[start : start + 20])
            await asyncio.sleep(0.05)
        await shop.becomes_right()


async def test_workers_share_the_partitions_and_hand_them_over(shop: Shop, topics: Topics) -> None:
    events = some_events()
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads):
        await shop.append(*events[:60])
        await shop.becomes_right()
        async with following(shop.log, topics, shop.reads) as second:
            await shop.append(*events[60:100])
            await until(lambda: second.health.status is Status.RUNNING and second.health.done > 0, 30)
            await shop.append(*events[100:])
            await shop.becomes_right()


async def test_more_partitions_while_everything_runs(shop: Shop, topics: Topics) -> None:
    events = some_events()
    name = topics.name("orders")
    async with published(shop, topics), following(shop.log, topics, shop.reads):
        await shop.append(*events[:60])
        await shop.becomes_right()
        async with admin(topics.bootstrap) as client:
            await client.create_partitions({name: NewPartitions(7)})
        await shop.append(*events[60:100])
        await shop.becomes_right()
    more = Topics(topics.bootstrap, prefix=name.removesuffix(".orders"), partitions=16)
    async with relaying(relay(shop.log, more)), following(shop.log, more, shop.reads):
        await shop.append(*events[100:])
        await shop.becomes_right()


async def test_what_has_expired_on_the_topic_is_read_from_the_log(shop: Shop, topics: Topics) -> None:
    events = some_events()
    await shop.append(*events[:100])
    async with published(shop, topics):
        await empty(topics)
        async with following(shop.log, topics, shop.reads):
            await shop.becomes_right()
            await shop.append(*events[100:])
            await shop.becomes_right()


async def test_a_topic_that_was_deleted_and_made_again_loses_nothing(shop: Shop, topics: Topics) -> None:
    events = some_events()
    async with relaying(relay(shop.log, topics, patience=1)), following(shop.log, topics, shop.reads):
        await shop.append(*events[:100])
        await shop.becomes_right()
        async with admin(topics.bootstrap) as client:
            await client.delete_topics([topics.name("orders")])
        await shop.append(*events[100:])
        await shop.becomes_right(60)


async def test_a_consumer_that_cannot_keep_up_holds_the_topic_back(
    shop: Shop, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no more into memory than it may, and goes on when there is room."""
    monkeypatch.setattr("infra.kafka.kafka_feed.ROOM", 10)
    monkeypatch.setattr("infra.kafka.subscription.MOST", 5)
    events = some_events()
    await shop.append(*events)
    async with published(shop, topics):
        reader = LogReader(shop.log.pool, "orders", OneKey())
        async with KafkaFeed(topics, shop.log.pool, reader, "orders@1", look=60) as feed:
            await until(lambda: len(feed._new) >= 10, 30)
            await asyncio.sleep(0.2)
            assert len(feed._new) < 15
            async with running(Follower(feed, shop.reads)):
                await shop.becomes_right()
            assert (feed.from_topic, feed.from_log) == (len(events), 0)


async def test_a_read_database_that_is_away_is_waited_for(shop: Shop, topics: Topics) -> None:
    events = some_events()
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads) as consumer:
        await shop.append(*events[:60])
        await shop.becomes_right()
        shop.log.execute("ALTER TABLE projections.checkpoints RENAME TO away")
        await shop.append(*events[60:])
        await until(lambda: consumer.health.status is not Status.RUNNING, 30)
        shop.log.execute("ALTER TABLE projections.away RENAME TO checkpoints")
        await shop.becomes_right()


async def test_offsets_committed_ahead_of_the_checkpoint_lose_nothing(shop: Shop, topics: Topics) -> None:
    """As when the read database was restored from a backup."""
    events = some_events()
    async with relaying(relay(shop.log, topics)):
        async with following(shop.log, topics, shop.reads):
            await shop.append(*events)
            await shop.becomes_right()
            await asyncio.sleep(1.1)  # for the commit
        async with shop.reads.connection() as connection:
            await connection.execute(
                "TRUNCATE projections.checkpoints, projections.slice_checkpoints, orders_1.orders CASCADE"
            )
        async with following(shop.log, topics, shop.reads):
            await shop.becomes_right()


async def test_duplicates_and_older_stretches_change_nothing(shop: Shop, topics: Topics) -> None:
    """What a deposed leader sends, in stretches of every length, again and again."""
    events, dice = some_events(), Random(3)
    await shop.append(*events[:120])
    async with published(shop, topics), following(shop.log, topics, shop.reads):
        stretches = await messages_of(shop, topics)
        async with Publisher(topics.bootstrap, await topics.ensure("orders")) as deposed:
            for _ in range(20):
                begin = dice.randrange(len(stretches))
                await asyncio.gather(*await deposed.send(stretches[begin : begin + dice.randrange(1, 40)]))
        await shop.append(*events[120:])
        await shop.becomes_right()


async def test_a_topic_in_any_order_with_holes_still_gives_the_log(shop: Shop, topics: Topics) -> None:
    """Worse than any relay: shuffled, half of it missing, with strangers' messages in between."""
    events, dice = some_events(), Random(5)
    await shop.append(*events)
    stretches = await messages_of(shop, topics)
    topic = await topics.ensure("orders")
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap)
    await producer.start()
    async with Publisher(topics.bootstrap, topic) as publisher:
        dice.shuffle(stretches)
        for message in stretches[: len(stretches) // 2]:
            await asyncio.gather(*await publisher.send([message]))
            if dice.random() < 0.2:
                await producer.send_and_wait(topic.name, b"not ours", partition=dice.randrange(4))
    await producer.stop()
    said = {message.slice: message.position for message in await messages_of(shop, topics)}
    lasts = [said.get(slice, 0) for slice in range(64)]
    shop.log.execute(f"UPDATE orders.relay SET position = {len(events)}, lasts = ARRAY{lasts}")
    async with following(shop.log, topics, shop.reads) as consumer:
        await shop.becomes_right()
    assert 0 < consumer.feed.from_topic < len(events)


async def test_messages_of_another_incarnation_are_passed_over(shop: Shop, topics: Topics) -> None:
    """The topic still has the log's earlier life, when its events were others."""
    await shop.append(*some_events(seed=2))
    async with published(shop, topics):
        pass
    shop.log.execute("TRUNCATE orders.stored_events")
    shop.log.new_incarnation()
    shop.events.log.clear()
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads):
        await shop.append(*some_events(seed=1))
        await shop.becomes_right()


async def test_events_too_large_for_the_topic_are_read_from_the_log(
    shop: Shop, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.kafka.publisher.OVERHEAD", MESSAGE_LIMIT - 300)
    events = some_events()
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads, look=60):
        for start in range(0, len(events), 20):
            await shop.append(*events[start : start + 20])
            await asyncio.sleep(0.02)
        await shop.becomes_right()
    left = [message for message in await messages(topics) if message.value is None]
    assert 0 < len(left) < len(events)


async def test_a_broker_restarted_under_load_loses_nothing(shop: Shop, topics: Topics, broker: EmbeddedKafka) -> None:
    events = some_events(orders=80)
    try:
        async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads) as consumer:
            for start in range(0, len(events), 20):
                await shop.append(*events[start : start + 20])
                if start == 100:
                    await shop.becomes_right()
                    broker.kill()
                    await until(lambda: "does not answer" in (consumer.health.reason or ""), 30)
                    assert consumer.health.status is Status.WAITING
                    await broker.restart()
                await asyncio.sleep(0.02)
            await shop.becomes_right(60)
            await until(lambda: consumer.health.status is Status.RUNNING, 30)
    finally:
        await broker_running(broker)


async def test_a_broker_away_at_the_start_is_waited_for(shop: Shop, topics: Topics, broker: EmbeddedKafka) -> None:
    broker.stop()
    try:
        async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads) as consumer:
            await shop.append(*some_events())
            await until(lambda: "cannot be reached" in (consumer.health.reason or ""), 30)
            assert consumer.health.status is Status.WAITING
            await broker.restart()
            await shop.becomes_right()
    finally:
        await broker_running(broker)


async def test_who_stops_in_order_leaves_the_group_at_once(shop: Shop, topics: Topics) -> None:
    """The other one need not wait until it is taken for dead."""
    events = some_events()
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads):
        async with following(shop.log, topics, shop.reads) as leaving:
            await until(lambda: bool(leaving.feed.partitions), 30)
            await shop.append(*events[:60])
            await shop.becomes_right()
        await shop.append(*events[60:])
        await shop.becomes_right(4)


@pytest.mark.full("kafka")
async def test_workers_killed_while_they_write_lose_and_repeat_nothing(shop: Shop, topics: Topics) -> None:
    dice, number = randomness(), size(60, 2_000)
    events = mixed([dice.randrange(number) for _ in range(5 * number)], [dice.choice(STORIES) for _ in range(number)])
    async with relaying(relay(shop.log, topics)):
        workers = [await worker(shop, topics) for _ in range(2)]
        writing = asyncio.create_task(write(shop, events))
        for n in range(size(2, 20)):
            await asyncio.sleep(dice.uniform(0, 1))
            workers[n % 2].kill()
            await workers[n % 2].wait()
            workers[n % 2] = await worker(shop, topics)
        await writing
        await shop.becomes_right(90)
        for each in workers:
            each.kill()
            await each.wait()


@pytest.mark.full("kafka")
async def test_whatever_happens_at_once_the_rows_are_those_of_the_log(
    shop: Shop, topics: Topics, broker: EmbeddedKafka
) -> None:
    """Relays change, the broker is killed, partitions are added and workers are killed, all while events come."""
    dice, number = randomness(), size(60, 800)
    events = mixed([dice.randrange(number) for _ in range(5 * number)], [dice.choice(STORIES) for _ in range(number)])
    workers = [await worker(shop, topics) for _ in range(2)]
    relays = [asyncio.create_task(relay(shop.log, topics).run()) for _ in range(2)]
    writing = asyncio.create_task(write(shop, events))

    async def a_worker_is_killed() -> None:
        n = dice.randrange(2)
        workers[n].kill()
        await workers[n].wait()
        workers[n] = await worker(shop, topics)

    async def a_relay_ends() -> None:
        n = dice.randrange(2)
        relays[n].cancel()
        await asyncio.wait({relays[n]})
        relays[n] = asyncio.create_task(relay(shop.log, topics).run())

    async def the_broker_is_killed() -> None:
        broker.kill()
        await asyncio.sleep(dice.uniform(0, 1))
        await broker.restart()

    async def partitions_are_added() -> None:
        prefix = topics.name("orders").removesuffix(".orders")
        with suppress(KafkaError):
            await Topics(topics.bootstrap, prefix=prefix, partitions=dice.randrange(4, 17)).ensure("orders")

    try:
        for _ in range(size(4, 25)):
            await asyncio.sleep(dice.uniform(0, 1))
            await dice.choice([a_worker_is_killed, a_relay_ends, the_broker_is_killed, partitions_are_added])()
        await writing
        await shop.becomes_right(120)
    finally:
        await broker_running(broker)
        for each in relays:
            each.cancel()
        await asyncio.wait(relays)
        for process in workers:
            process.kill()
            await process.wait()


async def test_floors_rise_to_where_the_relay_stands(shop: Shop, topics: Topics) -> None:
    events = some_events()
    floors = Floors(shop.reads, {"orders": shop.log.pool})

    async def risen() -> bool:
        await floors.lift()
        async with shop.reads.connection() as connection:
            found = await (await connection.execute("SELECT floor FROM projections.checkpoints")).fetchone()
        return found == (len(shop.events.log),)

    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads):
        await shop.append(*events[:100])
        await until(risen, 30)
        await shop.append(*events[100:])
        await until(risen, 30)
        await shop.becomes_right()


async def test_a_floor_lifted_meanwhile_is_not_lowered_by_who_moves_slices(shop: Shop) -> None:
    checkpoints = Checkpoints("orders@1", "orders")
    async with shop.reads.connection() as connection:
        expected = await checkpoints.open(connection, uuid4())
        assert await checkpoints.lift_floor(connection, expected.incarnation, 7, {})
        to = Progress(expected.floor, {3: 9}, 9, None)
        held, _ = await (await checkpoints.lock(connection, expected, to)).held()
        moved = (await checkpoints.move(connection, held, to)).moved()
        assert moved == await checkpoints.open(connection, expected.incarnation)
        assert (moved.floor, moved.of(3)) == (7, 9)


async def messages_of(shop: Shop, topics: Topics) -> list[Unpublished]:
    """The log as its messages, as a relay makes them."""
    async with await AsyncConnection.connect(shop.log.database, autocommit=True) as connection:
        chunk = await read(connection, "orders", 0)
        return list(chunk.messages(dict.fromkeys(range(64), 0)))


async def empty(topics: Topics) -> None:
    """What retention does, at once."""
    name = topics.name("orders")
    async with admin(topics.bootstrap) as client:
        partitions = [TopicPartition(name, n) for n in range(4)]
        await client.delete_records({partition: RecordsToDelete(before_offset=-1) for partition in partitions})


async def worker(shop: Shop, topics: Topics) -> Process:
    """In a process of its own, begun."""
    prefix = topics.name("orders").removesuffix(".orders")
    command = [sys.executable, "-m", "tests.infra.kafka.following", shop.log.database, topics.bootstrap, prefix]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def write(shop: Shop, events: Sequence[Event]) -> None:
    for start in range(0, len(events), 5):
        await shop.append(*events[start : start + 5])


async def test_what_a_restored_log_does_not_have_is_not_taken_from_the_topic(shop: Shop, topics: Topics) -> None:
    await shop.append(*some_events())
    async with published(shop, topics):
        pass
    shop.log.execute("DELETE FROM orders.stored_events WHERE notification_id > 20")
    async with following(shop.log, topics, shop.reads) as consumer:
        await until(lambda: "was cut or restored" in (consumer.health.reason or ""), 30)
        assert consumer.health.done <= 20


async def test_a_topic_that_is_there_and_cannot_be_read_is_passed_by(
    shop: Shop, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a bad block on a broker's disk: the client says so each time, and comes no further."""

    async def corrupt(*_: object, **__: object) -> None:
        raise CorruptRecordException

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", corrupt)
    async with relaying(relay(shop.log, topics)), following(shop.log, topics, shop.reads):
        await shop.append(*some_events())
        await shop.becomes_right()
