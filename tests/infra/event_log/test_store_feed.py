"""The log as a feed: what is about its connections; what every feed promises is in tests/contracts."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from bench.callers import count_up
from bench.counter import COUNTERS
from bench.server import NoKeys, counter_loop
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader, Stretch
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from projections.checkpoint import Checkpoint
from projections.feed import Recorded


@pytest.mark.parametrize("steps", range(4))
async def test_a_cancellation_while_waiting_for_a_connection_is_not_lost(database: str, steps: int):
    """A consumer whose cancellation is lost would follow an idle log for ever, and hold up the shutdown."""
    await migrate(database, [COUNTERS.name])
    async with AsyncConnectionPool(database, min_size=1, max_size=1, kwargs={"autocommit": True}, open=False) as pool:
        feed = StoreFeed(LogReader(pool, COUNTERS.name, NoKeys()), Wakeups(database, pool, [COUNTERS.name]))
        taken = await pool.getconn()
        reading = asyncio.create_task(feed.read(Checkpoint(uuid4()), 10))
        await asyncio.sleep(0.1)
        await pool.putconn(taken)
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        assert reading.cancelled()


class Counted(LogReader):
    reads = 0

    async def read(self, after: int, limit: int, upto: int | None = None) -> Stretch[Recorded]:
        self.reads += 1
        return await super().read(after, limit, upto)


async def test_consumers_that_ask_together_for_the_same_share_what_is_read(database: str):
    async with counter_loop(database) as loop, AsyncConnectionPool(database, open=False) as pool:
        await loop.submit(count_up(uuid4(), keyed=False))
        reader = Counted(pool, COUNTERS.name, NoKeys())
        feed = StoreFeed(reader, Wakeups(database, pool, [COUNTERS.name]))
        at_the_start = Checkpoint((await feed.head())[0])
        batches = await asyncio.gather(*(feed.read(at_the_start, 10) for _ in range(3)), feed.read(at_the_start, 9))
        assert [len(batch.recorded) for batch in batches] == [1, 1, 1, 1]
        assert reader.reads == 2  # three that asked for ten, one for nine
        await loop.submit(count_up(uuid4(), keyed=False))
        assert len((await feed.read(at_the_start, 10)).recorded) == 2  # whoever asks later gets what there is then
