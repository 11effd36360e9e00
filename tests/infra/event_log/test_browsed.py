"""A log as people browse it: the newest first, by stream and type, between two positions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import AsyncConnectionPool

from infra.event_log.browsed import BrowsedLog
from tests.domain.orders.samples import confirmed, placed
from tests.infra.event_log.test_reader import Log
from tests.projections.stories import order_id, told

EVENTS = [event for number in range(1, 4) for event in told((placed, confirmed), order_id(number))]
"""Six: the order 1 at the positions 1 and 2, the order 2 at 3 and 4 ..."""


@pytest.fixture
async def browsed(database: str) -> AsyncIterator[BrowsedLog]:
    async with AsyncConnectionPool(database, min_size=1, max_size=2, open=False) as pool:
        log = Log(database, pool)
        log.append(*EVENTS)
        yield BrowsedLog(pool, "orders", log.keys)


async def positions(log: BrowsedLog, **given: Any) -> list[int]:
    asked: dict[str, Any] = {"stream": None, "correlation": None, "event_type": None, "above": 0, "below": None}
    return [event.position for event in await log.sought(**asked | {"limit": 10} | given)]


async def test_the_newest_come_first_between_two_positions_that_are_left_out(browsed: BrowsedLog):
    assert await positions(browsed) == [6, 5, 4, 3, 2, 1]
    assert await positions(browsed, limit=2) == [6, 5]
    assert await positions(browsed, above=1, below=4) == [3, 2]


async def test_they_are_found_by_stream_and_by_type(browsed: BrowsedLog):
    assert await positions(browsed, stream=order_id(2)) == [4, 3]
    assert await positions(browsed, event_type=EVENTS[0].TOPIC) == [5, 3, 1]
    assert await positions(browsed, stream=order_id(2), event_type=EVENTS[0].TOPIC) == [3]
    assert await positions(browsed, correlation="nobody's") == []


async def test_one_is_found_by_its_position_and_a_stream_knows_its_last_version(browsed: BrowsedLog):
    found = await browsed.stored_at(4)
    assert found is not None
    assert (found.originator_id, found.version, found.topic) == (order_id(2), 2, EVENTS[1].TOPIC)
    assert await browsed.stored_at(7) is None
    assert await browsed.last_version(order_id(2)) == 2
    assert await browsed.last_version(UUID(int=1)) == 0
