"""python -m tests.infra.kafka.following CONNINFO BOOTSTRAP PREFIX: follows the topic of orders until it is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool

from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.kafka.kafka_feed import KafkaFeed
from infra.kafka.topics import Topics
from projections.consumer import Consumer
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.sink import ModelSink
from tests.infra.kafka.logs import Log, OneKey
from tests.projections.test_consumer import running

LOOK = 0.3


class Follower(Consumer):
    """Knows its feed, for tests that ask where events came from."""

    def __init__(self, feed: KafkaFeed, reads: Pool) -> None:
        super().__init__(ModelSink(ORDERS), feed, reads)
        self.feed = feed


@asynccontextmanager
async def reading(log: Log, reads: Pool) -> AsyncIterator[Consumer]:
    """A worker of orders@1 on the log itself."""
    consumer = Consumer(ModelSink(ORDERS), StoreFeed(LogReader(log.pool, "orders", OneKey()), log.wakeups), reads)
    async with running(consumer):
        yield consumer


@asynccontextmanager
async def following(log: Log, topics: Topics, reads: Pool, look: float = LOOK) -> AsyncIterator[Follower]:
    """A worker of orders@1 on the topic."""
    reader = LogReader(log.pool, "orders", OneKey())
    async with KafkaFeed(topics, log.pool, reader, "orders@1", look=look) as feed:
        consumer = Follower(feed, reads)
        async with running(consumer):
            yield consumer


async def main(database: str, bootstrap: str, prefix: str) -> None:
    reads: Pool = AsyncConnectionPool(database, max_size=4, open=False)
    async with AsyncConnectionPool(database, max_size=4, open=False) as pool, reads:
        reader = LogReader(pool, "orders", OneKey())
        async with KafkaFeed(Topics(bootstrap, prefix=prefix), pool, reader, "orders@1", look=LOOK) as feed:
            print("following", flush=True)
            await Consumer(ModelSink(ORDERS), feed, reads).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
