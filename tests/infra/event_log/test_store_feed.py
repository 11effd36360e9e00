"""The log as a feed: what is about its connections; what every feed promises is in tests/contracts."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from bench.counter import COUNTERS
from bench.server import NoKeys
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from projections.checkpoint import Checkpoint


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
