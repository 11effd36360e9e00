"""What the append function promises, seen from outside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from bench.callers import count_up
from bench.counter import COUNTERS
from bench.server import counter_loop
from domain.ids import slice_of
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import MigrationChanged, migrate


async def flushes_per_append(database: str, callers: int, commands: int) -> float:
    before = flushes(database)
    async with counter_loop(database) as loop:

        async def caller(id: UUID) -> None:
            for _ in range(commands // callers):
                await loop.submit(count_up(id, keyed=False))

        await asyncio.gather(*(caller(uuid4()) for _ in range(callers)))
    return (flushes(database) - before) / commands


def flushes(database: str) -> int:
    """WAL flushes of the whole server so far."""
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'").fetchone()
    assert row
    return int(row[0])


async def test_flushes_per_append_fall_as_callers_rise(tmp_path: Path):
    with EmbeddedPostgres(tmp_path) as durable:  # that of the other tests flushes nothing
        alone = await flushes_per_append(durable.conninfo(), 1, 320)
        many = await flushes_per_append(durable.conninfo(), 32, 320)
    assert alone > 0.5  # each is durable before it is answered
    assert many < alone / 3


async def test_migrating_again_changes_nothing(empty_database: str):
    await asyncio.gather(*(migrate(empty_database, ["orders", "users"]) for _ in range(4)))
    await migrate(empty_database, ["orders"])


async def test_an_edited_migration_is_refused(database: str):
    await migrate(database, ["orders"])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE orders.migrations SET sha256 = 'edited' WHERE name LIKE '0002%'")
    with pytest.raises(MigrationChanged, match="0002_append"):
        await migrate(database, ["orders"])


async def test_sql_and_python_agree_on_the_slice(database: str):
    await migrate(database, [COUNTERS.name])
    ids = [uuid4() for _ in range(500)]
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT id, counters.chobo_slice(id) FROM unnest(%s::uuid[]) AS id", [ids]).fetchall()
    assert dict(rows) == {id: slice_of(id) for id in ids}
