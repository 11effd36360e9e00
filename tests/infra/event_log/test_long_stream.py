"""A stream of a million events, 50,000 at small size: loaded cold from its snapshot, or in steps from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import AsyncConnectionPool

from bench.long_stock import STOCK, lengthened, long_stock
from bench.server import NoKeys
from domain.products import CONTEXT
from domain.products.stock import Stock
from infra.event_log import log as log_module
from infra.event_log.log import EventLog
from infra.event_log.mapper import EventMapper
from infra.event_log.snapshots import EVERY
from tests.full import size
from tests.infra.stored import execute


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions of the events that were decoded."""
    versions: list[int] = []
    decode = EventMapper.decode

    def counted(self: EventMapper, id: UUID, version: int, topic: str, stored: bytes) -> Any:
        versions.append(version)
        return decode(self, id, version, topic, stored)

    monkeypatch.setattr(EventMapper, "decode", counted)
    return versions


@asynccontextmanager
async def cold(database: str) -> AsyncIterator[EventLog]:
    """A log that has seen nothing yet, as a new process has it."""
    async with AsyncConnectionPool(database, min_size=1, max_size=2, kwargs={"autocommit": True}, open=False) as pool:
        log = EventLog(database, pool, CONTEXT, NoKeys())
        yield log
        await log.close()


async def loaded(database: str) -> Stock:
    async with cold(database) as log:
        state = (await log.load({STOCK: None}))[STOCK]
    assert isinstance(state, Stock)
    return state


@pytest.mark.full("log")
async def test_a_long_stream_is_loaded_from_its_snapshot_and_the_few_events_after_it(database: str, decoded: list[int]):
    length = size(50_000, 1_000_000)
    on_hand = await long_stock(database, length)
    assert (await loaded(database)).on_hand == on_hand  # reads it all, and takes a snapshot
    assert len(decoded) == length
    decoded.clear()

    lengthened(database, length, EVERY - 1)
    stock = await loaded(database)
    assert stock.version == length + EVERY - 1
    assert decoded == list(range(length + 1, stock.version + 1))

    execute(database, "TRUNCATE products.snapshots")  # nothing depends on them
    assert await loaded(database) == stock


@pytest.mark.parametrize("length", [1, 6, 7, 8, 14, 20])
async def test_a_stream_is_read_whole_however_many_steps_it_takes(
    database: str, monkeypatch: pytest.MonkeyPatch, length: int
):
    monkeypatch.setattr(log_module, "STEP", 7)
    on_hand = await long_stock(database, length)
    stock = await loaded(database)
    assert (stock.version, stock.on_hand) == (length, on_hand)


async def test_reading_a_long_stream_lets_others_have_their_turn(database: str, decoded: list[int]):
    await long_stock(database, 3 * log_module.STEP)
    seen = [0]

    async def look() -> None:
        while True:
            seen.append(len(decoded))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await loaded(database)
    looking.cancel()
    assert max(after - before for before, after in pairwise(seen)) <= log_module.STEP
    assert len(decoded) == 3 * log_module.STEP
