"""Long streams are read from their newest snapshot; without one, or with one of another shape, from the start."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from bench.callers import count_up
from bench.counter import Counter
from bench.server import counter_loop
from commands.loop import WriteLoop
from infra.event_log import snapshots

EVERY = 50


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", EVERY)


async def counted(loop: WriteLoop, id: UUID, times: int) -> None:
    for _ in range(times):
        await loop.submit(count_up(id, keyed=False))


async def total(loop: WriteLoop, id: UUID) -> int:
    return (await loop.states([id]))[id, Counter].total


def execute(database: str, query: str, *params: Any) -> list[Any]:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(query, params)
        return cursor.fetchall() if cursor.description else []


async def test_a_cold_load_reads_only_what_came_after_the_snapshot(database: str):
    id = uuid4()
    async with counter_loop(database) as loop:
        await counted(loop, id, 3 * EVERY + 7)
    [(version,)] = execute(database, "SELECT max(originator_version) FROM counters.snapshots")
    assert version == 3 * EVERY
    execute(database, "DELETE FROM counters.stored_events WHERE originator_version <= %s", version)  # proves it
    async with counter_loop(database) as loop:
        assert await total(loop, id) == 3 * EVERY + 7


async def test_snapshots_may_be_thrown_away(database: str):
    id = uuid4()
    async with counter_loop(database) as loop:
        await counted(loop, id, EVERY + 7)
    execute(database, "TRUNCATE counters.snapshots")
    async with counter_loop(database) as loop:
        assert await total(loop, id) == EVERY + 7
    assert execute(database, "SELECT count(*) FROM counters.snapshots") == [(1,)]  # reading that many took a new one


async def test_a_snapshot_of_another_shape_is_not_looked_at(database: str):
    id = uuid4()
    async with counter_loop(database) as loop:
        await counted(loop, id, EVERY)
    execute(database, "UPDATE counters.snapshots SET topic = 'bench.counter.Counter/older', state = 'nonsense'")
    async with counter_loop(database) as loop:
        assert await total(loop, id) == EVERY


async def test_short_streams_get_none(database: str):
    async with counter_loop(database) as loop:
        await asyncio.gather(*(counted(loop, uuid4(), 3) for _ in range(10)))
    assert execute(database, "SELECT count(*) FROM counters.snapshots") == [(0,)]


async def test_a_snapshot_of_another_shape_is_replaced_at_the_same_version(database: str):
    id = uuid4()
    async with counter_loop(database) as loop:
        await counted(loop, id, EVERY)
    execute(database, "UPDATE counters.snapshots SET topic = 'bench.counter.Counter/older', state = 'nonsense'")
    async with counter_loop(database) as loop:
        await total(loop, id)
    [(topic,)] = execute(database, "SELECT topic FROM counters.snapshots")
    assert topic != "bench.counter.Counter/older"


async def test_reading_what_others_wrote_does_not_put_the_next_snapshot_off(database: str):
    id = uuid4()
    async with counter_loop(database) as one, counter_loop(database) as other:
        for n in range(2 * EVERY):
            writer, reader = (one, other) if n % 2 else (other, one)
            await counted(writer, id, 1)
            await total(reader, id)
    [(version,)] = execute(database, "SELECT max(originator_version) FROM counters.snapshots")
    assert version >= 2 * EVERY
