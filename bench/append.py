"""append: commands a second through the write loop, one event each, on aggregates spread widely."""

from __future__ import annotations

from uuid import UUID, uuid4

import uvloop

from bench import pgbench
from bench.callers import Met, call
from bench.report import Figure, progress
from bench.server import counter_loop, fresh_server
from bench.stock import stock_events_per_second

GOALS = {"c32": ">= 1.2", "c128": ">= 2", "reply-c32": ">= 0.9"}
CASES = [("c1", 1, False), ("c8", 8, False), ("c32", 32, False), ("c128", 128, False), ("reply-c32", 32, True)]
STREAMS = 50  # aggregates of each caller


async def measure(conninfo: str, callers: int, seconds: float, keyed: bool) -> Met:
    streams: list[list[UUID]] = [[uuid4() for _ in range(STREAMS)] for _ in range(callers)]
    async with counter_loop(conninfo) as loop:
        return await call(loop, callers, seconds, lambda caller, n: streams[caller][n % STREAMS], keyed=keyed)


def main(seconds: float = 5) -> None:
    with fresh_server() as conninfo:
        progress("pgbench, 32 clients")
        before = pgbench.events_per_second(conninfo, seconds=int(seconds))
        measured = {}
        for case, callers, keyed in CASES:
            progress(f"write loop, {case}")
            measured[case] = uvloop.run(measure(conninfo, callers, seconds, keyed))
        progress("pgbench again, so that the ceiling is from both ends of the run")
        ceiling = (before + pgbench.events_per_second(conninfo, seconds=int(seconds))) / 2
        for case, met in measured.items():
            Figure("append", case, met.rate, "1/s", ceiling, GOALS.get(case, "")).show()
            progress(f"{case}: p50 {met.p50 * 1e3:.2f} p99 {met.p99 * 1e3:.2f} max {met.maximum * 1e3:.2f} ms")
        progress("a stock eventsourcing application, 32 threads")
        stock = stock_events_per_second(conninfo, seconds=seconds)
        Figure("append", "stock-c32", measured["c32"].rate, "1/s", stock, ">= 10").show()
