"""What is asked for gauges: pools, write loops, consumers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from infra.telemetry.metrics import Probe, Sample

Pool = AsyncConnectionPool[AsyncConnection[Any]]


class Queue(Protocol):
    @property
    def waiting(self) -> int: ...


def pools(named: Mapping[str, Pool]) -> Probe:
    async def look() -> Iterator[Sample]:
        return (sample for name, pool in named.items() for sample in of_pool(name, pool.get_stats()))

    return look


def of_pool(name: str, stats: Mapping[str, int]) -> Iterator[Sample]:
    size, free = stats.get("pool_size", 0), stats.get("pool_available", 0)
    yield Sample("chobo_pool_connections", (name, "free"), free)
    yield Sample("chobo_pool_connections", (name, "used"), size - free)
    yield Sample("chobo_pool_waiting", (name,), stats.get("requests_waiting", 0))


def queues(loops: Mapping[str, Queue]) -> Probe:
    async def look() -> Iterator[Sample]:
        return (Sample("chobo_write_queue_commands", (name,), loop.waiting) for name, loop in loops.items())

    return look
