"""What is asked for gauges: pools, write loops, relays, to-dos. Consumers have a module of their own, `following`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from infra.telemetry.metrics import Probe, Sample
from projections.pool import connected
from projections.todo import Figures, figures

Pool = AsyncConnectionPool[AsyncConnection[Any]]


class Queue(Protocol):
    @property
    def waiting(self) -> int: ...


class RelayHealth(Protocol):
    @property
    def context(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def behind(self) -> int: ...


class Relaying(Protocol):
    @property
    def health(self) -> RelayHealth: ...


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


def relays(at_work: Sequence[Relaying]) -> Probe:
    async def look() -> Iterator[Sample]:
        return (sample for relay in at_work for sample in of_relay(relay.health))

    return look


def of_relay(health: RelayHealth) -> Iterator[Sample]:
    yield Sample("chobo_relay_leader", (health.context,), float(health.role == "LEADER"))
    yield Sample("chobo_relay_behind_events", (health.context,), health.behind)


class Watching(Protocol):
    context: str

    @property
    def found(self) -> Mapping[Any, int]: ...


def watches(at_work: Sequence[Watching]) -> Probe:
    async def look() -> Iterator[Sample]:
        return (Sample("chobo_verify_findings", (one.context,), sum(one.found.values())) for one in at_work)

    return look


class Comparing(Protocol):
    @property
    def found(self) -> Mapping[Any, int]: ...


def compared(watch: Comparing) -> Probe:
    async def look() -> list[Sample]:
        return [Sample("chobo_verify_payments_findings", (str(code),), n) for code, n in watch.found.items()]

    return look


def todos(reads: Pool) -> Probe:
    async def look() -> Iterator[Sample]:
        async with connected(reads) as connection:
            found = await figures(connection)
        return (sample for kind in found for sample in of_kind(kind))

    return look


def of_kind(kind: Figures) -> Iterator[Sample]:
    yield Sample("chobo_todo_due", (kind.kind,), kind.due)
    yield Sample("chobo_todo_oldest_seconds", (kind.kind,), kind.late)
    yield Sample("chobo_todo_failing", (kind.kind,), kind.failing)
