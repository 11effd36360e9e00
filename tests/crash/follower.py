"""python -m tests.crash.follower CONNINFO [PART OF]: folds orders from the log into rows until it is killed.

With `PART OF`, as 0 2, only its part of the slices.
"""

from __future__ import annotations

import asyncio
import sys

from psycopg_pool import AsyncConnectionPool

from domain.ids import SLICES
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from projections.consumer import Consumer
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.sink import ModelSink
from tests.contracts.test_feed import OneKey, stored


async def main(conninfo: str, part: int = 0, of: int = 0) -> None:
    slices = [slice for slice in range(SLICES) if slice % of == part] if of else None
    pool: Pool = AsyncConnectionPool(conninfo, max_size=4, open=False)
    async with stored(conninfo) as source, pool:
        feed = StoreFeed(LogReader(pool, "orders", OneKey()), source.wakeups, slices)
        consumer = Consumer(ModelSink(ORDERS), feed, pool)
        print("following", flush=True)
        await consumer.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
