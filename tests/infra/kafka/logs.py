"""A log with events in it, and what is on its topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from infra.event_log.log import Pool
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.wakeups import Wakeups
from infra.kafka.message import Message, Place, place
from infra.kafka.relay import Health, Relay, Role
from infra.kafka.topics import Topics
from infra.verify.topic import HELD

INSERT = """
INSERT INTO orders.stored_events (
    originator_id, originator_version, topic, state, notification_id, event_id, correlation_id, actor, causation_id,
    traceparent)
SELECT e.id, e.version, e.topic, e.state, coalesce((SELECT max(notification_id) FROM orders.stored_events), 0) + e.n,
    uuidv7(), 'test', 'anonymous', e.causation, e.traceparent
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[], %s::uuid[], %s::text[]) WITH ORDINALITY
    AS e (id, version, topic, state, causation, traceparent, n)
"""


class OneKey:
    """The same personal-data key for everybody."""

    def get(self, owner: UUID) -> bytes | None:
        return b"k" * 32

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        pass


@dataclass(frozen=True)
class Log:
    """The log of orders in a database of its own."""

    database: str
    pool: Pool
    wakeups: Wakeups

    async def append(self, *events: Event) -> None:
        mapper = EventMapper(OneKey())
        await self.append_raw([(e.originator_id, e.originator_version, e.TOPIC, mapper.encode(e)) for e in events])

    async def append_raw(self, rows: Sequence[tuple[UUID, int, str, bytes]]) -> None:
        ids, versions, topics, states = zip(*rows, strict=True)
        traced = [uuid4() if version % 2 else None for version in versions]
        parents = [None if id is None else f"00-{id.hex}-{id.hex[:16]}-01" for id in traced]
        async with await AsyncConnection.connect(self.database) as connection:
            values = [list(ids), list(versions), list(topics), list(states), traced, parents]
            await connection.execute(INSERT, values)
            (head,) = await (
                await connection.execute("SELECT max(notification_id) FROM orders.stored_events")
            ).fetchone() or (0,)
        self.wakeups.written("orders", head)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_incarnation(self) -> None:
        self.execute("INSERT INTO orders.incarnation (head, reason) VALUES (0, 'test')")


@asynccontextmanager
async def opened(database: str) -> AsyncIterator[Log]:
    await migrate(database, ["orders"])
    async with AsyncConnectionPool(database, min_size=1, max_size=8, open=False, kwargs={"autocommit": True}) as pool:
        wakeups = Wakeups(database, pool, ["orders"])
        wakeups.open()
        try:
            yield Log(database, pool, wakeups)
        finally:
            await wakeups.close()


def relay(log: Log, topics: Topics, patience: float = 5) -> Relay:
    return Relay(log.database, "orders", topics, log.wakeups, patience=patience)


@asynccontextmanager
async def relaying(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_done(health: Health) -> bool:
    return health.role is Role.LEADER and health.behind == 0


async def messages(topics: Topics, context: str = "orders") -> list[Message]:
    """All that is on the topic, partition by partition."""
    name = topics.name(context)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=topics.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=HELD
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(name, n) for n in sorted(await partitions_of(consumer, name))]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Message] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                found += (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
        return found
    finally:
        await consumer.stop()


async def partitions_of(consumer: AIOKafkaConsumer, name: str) -> set[int]:
    await consumer._client.add_topic(name)
    return set(consumer.partitions_for_topic(name) or ())


def places(found: Sequence[Message]) -> list[Place]:
    return [at for message in found if (at := place(dict(message.headers))) is not None]
