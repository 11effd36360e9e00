"""Taking turns with other processes: nobody stands back for one that is done."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import psycopg

from bench.server import counter_loop
from commands.turns import LONGEST_CALL, Turns
from infra.event_log.migrations import LOCK_SPACE, lock_number
from tests.commands.test_loop import count, key


def turn_locks(database: str) -> int:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid) = (%s, %s)"
    with psycopg.connect(database) as connection:
        row = connection.execute(query, [LOCK_SPACE, lock_number("counters") + 1]).fetchone()
    assert row
    return int(row[0])


async def released(database: str) -> bool:
    deadline = time.monotonic() + 5
    while turn_locks(database) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return not turn_locks(database)


async def test_a_process_that_was_answered_from_a_key_shows_no_longer_that_it_waits(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id, same = uuid4(), key()
        await other.submit(count(id, key=same))
        assert (await one.submit(count(id, key=same))).replayed
        assert await released(database)


async def test_a_process_whose_late_callers_gave_up_shows_no_longer_that_it_waits(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id = uuid4()
        await one.submit(count(id))
        for _ in range(10):
            await other.submit(count(id))
            late = asyncio.create_task(one.submit(count(id)))
            while not turn_locks(database) and not late.done():
                await asyncio.sleep(0)
            late.cancel()
            await asyncio.wait({late})
        assert await released(database)


def test_an_outage_does_not_make_turns_longer():
    turns = Turns(lambda: None)
    for _ in range(100):
        turns.landed(0.0, 60.0, contended=True, late=False)
    assert turns.pause(0.0) <= LONGEST_CALL
