"""load: a stream of a million events, loaded by a process that has seen nothing of it."""

from __future__ import annotations

import asyncio
import time

from psycopg_pool import AsyncConnectionPool

from bench.long_stock import STOCK, lengthened, long_stock
from bench.report import Figure, percentile, progress
from bench.server import NoKeys, fresh_server
from domain.products import CONTEXT
from infra.event_log.log import EventLog
from infra.event_log.snapshots import EVERY

LENGTH = 1_000_000
TIMES = 20
BEHIND = EVERY - 1
"""Events after the newest snapshot: one more and there would be a newer one. The dearest case."""


async def loaded_in(conninfo: str) -> float:
    """Seconds of one cold load, connection included."""
    began = time.perf_counter()
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=1, kwargs={"autocommit": True}, open=False) as pool:
        log = EventLog(conninfo, pool, CONTEXT, NoKeys())
        await log.load({STOCK: None})
        took = time.perf_counter() - began
        await log.close()
    return took


async def measured(conninfo: str) -> list[float]:
    progress(f"a stream of {LENGTH} events")
    await long_stock(conninfo, LENGTH)
    progress(f"read whole in {await loaded_in(conninfo):.1f} s, and a snapshot taken")
    lengthened(conninfo, LENGTH, BEHIND)
    return [await loaded_in(conninfo) for _ in range(TIMES)]


def main() -> None:
    with fresh_server() as conninfo:
        times = asyncio.run(measured(conninfo))
    Figure("load", "cold", percentile(times, 0.5) * 1e3, "ms", goal="<= 50").show()
    progress(f"{BEHIND} events after the snapshot; p99 {percentile(times, 0.99) * 1e3:.1f} ms")
