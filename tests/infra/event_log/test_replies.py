"""What becomes of stored replies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
from psycopg_pool import AsyncConnectionPool

from bench.counter import CountUp
from bench.server import counter_loop
from commands.reply import Envelope, Key
from domain.actor import ANONYMOUS
from infra.event_log.replies import prune


def keyed(until: datetime | None) -> Envelope:
    return Envelope(CountUp().bind(by=ANONYMOUS, target=uuid4()), "corr", key=Key(uuid4(), b"digest", until))


async def test_replies_go_when_their_time_is_over_and_a_sagas_stay(database: str):
    now = datetime.now(UTC)
    commands = [keyed(now - timedelta(seconds=1)), keyed(now + timedelta(days=7)), keyed(None)]
    async with counter_loop(database) as loop:
        for command in commands:
            await loop.submit(command)
    async with AsyncConnectionPool(database, min_size=1, max_size=1, kwargs={"autocommit": True}, open=False) as pool:
        await pool.wait()
        assert await prune(pool, "counters") == 1
        assert await prune(pool, "counters") == 0
    assert kept(database) == {command.key.id for command in commands[1:] if command.key}


def kept(database: str) -> set[UUID]:
    with psycopg.connect(database) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM counters.replies")}
