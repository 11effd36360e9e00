"""hot: everybody wants the same aggregate. In one process, beside the same load spread out; and from two processes."""

from __future__ import annotations

import json
import subprocess
import sys
from uuid import UUID, uuid4

import uvloop

from bench import pgbench
from bench.callers import Met, call
from bench.report import Figure, percentile, progress
from bench.server import counter_loop, fresh_server

CALLERS = 32


async def measure(conninfo: str, seconds: float, targets: list[UUID]) -> Met:
    async with counter_loop(conninfo) as loop:
        return await call(loop, CALLERS, seconds, lambda caller, _: targets[caller % len(targets)])


def two_processes(conninfo: str, seconds: float) -> list[dict[str, float]]:
    """16 callers each on one aggregate; what each met, over the time in which both were at work."""
    target = str(uuid4())
    command = [sys.executable, "-m", "bench.hot_process", conninfo, target, str(CALLERS // 2), str(seconds)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    reports = [json.loads(process.communicate()[0]) for process in processes]
    began, ended = max(r["began"] for r in reports), min(r["ended"] for r in reports)
    return [overlapping(report["calls"], began, ended) for report in reports]


def overlapping(calls: list[tuple[float, float]], began: float, ended: float) -> dict[str, float]:
    """Of (end, latency) in seconds: the rate, p99 and maximum between two moments."""
    latencies = [latency for end, latency in calls if began <= end <= ended]
    return {"rate": len(latencies) / (ended - began), "p99": percentile(latencies, 0.99), "max": max(latencies)}


def main(seconds: float = 5) -> None:
    with fresh_server() as conninfo:
        progress("pgbench, 32 clients")
        before = pgbench.events_per_second(conninfo, seconds=int(seconds))
        progress("32 callers on one aggregate, then on aggregates of their own")
        hot = uvloop.run(measure(conninfo, seconds, [uuid4()]))
        spread = uvloop.run(measure(conninfo, seconds, [uuid4() for _ in range(CALLERS)]))
        progress("two processes, 16 callers each, on one aggregate")
        two = two_processes(conninfo, seconds)
        ceiling = (before + pgbench.events_per_second(conninfo, seconds=int(seconds))) / 2
    total = sum(report["rate"] for report in two)
    Figure("hot", "c32", hot.rate, "1/s", ceiling, ">= 0.9").show()
    Figure("hot", "spread", hot.rate, "1/s", spread.rate).show()
    Figure("hot", "two", total, "1/s", ceiling).show()
    for name, report in zip("ab", two, strict=True):
        Figure("hot", f"two-{name}-share", report["rate"], "1/s", total, ">= 0.33").show()
        Figure("hot", f"two-{name}-p99", report["p99"] * 1e3, "ms").show()
        Figure("hot", f"two-{name}-max", report["max"] * 1e3, "ms", goal="<= 1000").show()
    progress(f"c32: p50 {hot.p50 * 1e3:.2f} p99 {hot.p99 * 1e3:.2f} max {hot.maximum * 1e3:.2f} ms")
