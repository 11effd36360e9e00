"""python -m tests.crash.follower CONNINFO: folds orders from the log into rows until it is killed."""

from __future__ import annotations

import asyncio
import sys

from psycopg_pool import AsyncConnectionPool

from projections.consumer import Consumer
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.sink import ModelSink
from tests.contracts.test_feed import stored


async def main(conninfo: str) -> None:
    pool: Pool = AsyncConnectionPool(conninfo, max_size=4, open=False)
    async with stored(conninfo) as source, pool:
        consumer = Consumer(ModelSink(ORDERS), source.feed, pool)
        print("following", flush=True)
        await consumer.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
