"""relay: a log filled beforehand, published to the topic of a real broker until every event is acknowledged.

The ceiling is the client alone: the same keys, headers and values, in memory already, put into batches for the same
partitions and sent by `send_batch` with the same settings to the same broker. Both three times, by turns.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from bench.orders_log import orders, write
from bench.report import Figure, progress
from bench.server import fresh_server
from domain.ids import UserId, new_id
from infra import garbage
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.wakeups import Wakeups
from infra.kafka.broker import EmbeddedKafka
from infra.kafka.publisher import BATCH_BYTES
from infra.kafka.relay import Relay
from infra.kafka.topics import Topics
from infra.kafka.unpublished import Unpublished, read

EVENTS: Final = 200_000
TIMES: Final = 3
IN_FLIGHT: Final = 32  # batches


class OneKey:
    """The same personal-data key for everybody."""

    def get(self, owner: object) -> bytes | None:
        return b"k" * 32


async def sent_alone(bootstrap: str, topic: str, partitions: int, messages: list[Unpublished]) -> float:
    """Events a second of the client, from the first message in a batch to the last acknowledgement."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=2 * BATCH_BYTES
    )
    await producer.start()
    try:
        batches = [producer.create_batch() for _ in range(partitions)]
        waiting: set[asyncio.Future[object]] = set()

        async def send(partition: int, batch: BatchBuilder) -> None:
            batch.close()
            waiting.add(await producer.send_batch(batch, topic, partition=partition))
            if len(waiting) >= IN_FLIGHT:
                waiting.difference_update((await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED))[0])

        began = time.perf_counter()
        for message in messages:
            partition = message.slice % partitions
            batches[partition].append(timestamp=None, key=message.key, value=message.state, headers=message.headers)
            if batches[partition].size() > BATCH_BYTES:
                await send(partition, batches[partition])
                batches[partition] = producer.create_batch()
        for partition, batch in enumerate(batches):
            if batch.record_count():
                await send(partition, batch)
        await asyncio.gather(*waiting)
        return len(messages) / (time.perf_counter() - began)
    finally:
        await producer.stop()


async def relayed(conninfo: str, topics: Topics, wakeups: Wakeups) -> float:
    """Events a second of the relay, from its start to its last checkpoint."""
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("UPDATE orders.relay SET position = 0, lasts = DEFAULT")
    relay = Relay(conninfo, "orders", topics, wakeups)
    began = time.perf_counter()
    at_work = asyncio.create_task(relay.run())
    while relay.health.published < EVENTS:
        await asyncio.sleep(0.002)
    took = time.perf_counter() - began
    at_work.cancel()
    await asyncio.wait({at_work})
    return EVENTS / took


async def everything(conninfo: str) -> list[Unpublished]:
    """The log as messages."""
    messages: list[Unpublished] = []
    lasts = dict.fromkeys(range(64), 0)
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        while chunk := await read(connection, "orders", len(messages)):
            messages += chunk.messages(lasts)
    return messages


@asynccontextmanager
async def filled(conninfo: str) -> AsyncIterator[Wakeups]:
    await migrate(conninfo, ["orders"])
    dice = random.Random(4)
    customers = [UserId(new_id()) for _ in range(1_000)]
    write(conninfo, orders(EVENTS, customers, dice), EventMapper(OneKey()))
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=2, kwargs={"autocommit": True}, open=False) as pool:
        wakeups = Wakeups(conninfo, pool, ["orders"])
        wakeups.open()
        try:
            yield wakeups
        finally:
            await wakeups.close()


async def measured(conninfo: str, bootstrap: str) -> tuple[float, float]:
    progress(f"a log of {EVENTS} events")
    async with filled(conninfo) as wakeups:
        messages = await everything(conninfo)
        garbage.settle()
        ours, ceilings = [], []
        for n in range(TIMES):
            alone, topics = Topics(bootstrap, prefix=f"alone{n}"), Topics(bootstrap, prefix=f"relay{n}")
            topic = await alone.ensure("orders")
            await topics.ensure("orders")
            ceilings.append(await sent_alone(bootstrap, topic.name, topic.partitions, messages))
            ours.append(await relayed(conninfo, topics, wakeups))
            progress(f"relay {ours[-1]:.0f}/s, client alone {ceilings[-1]:.0f}/s")
    return median(ours), median(ceilings)


def main() -> None:
    folder = tempfile.TemporaryDirectory()
    with fresh_server() as conninfo, folder, EmbeddedKafka(Path(folder.name), say=progress) as kafka:
        value, ceiling = asyncio.run(measured(conninfo, kafka.bootstrap))
    Figure("relay", "kafka", value, "1/s", ceiling, goal=">= 0.5 and >= 20000").show()


if __name__ == "__main__":
    main()
