from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from domain.ids import slice_of
from projections.checkpoint import Checkpoint
from projections.lag import Meter, measured, standings
from tests.domain.orders.samples import confirmed, placed
from tests.projections.replaying import Shop, a_shop, caught_up, live, working
from tests.projections.stories import order_id, told

AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    async with a_shop(database) as shop:
        yield shop


async def checkpoint(shop: Shop, floor: int, slices: dict[int, int] | None = None) -> Checkpoint:
    return Checkpoint((await shop.log.head())[0], floor, slices or {})


async def test_what_is_missing_is_counted_from_the_floor_with_the_age_of_the_oldest(shop: Shop) -> None:
    await shop.append(told((placed,), order_id(1)), AT)
    await shop.append(told((placed, confirmed), order_id(2)), AT + timedelta(hours=1))
    behind = await shop.log.behind(await checkpoint(shop, 1))
    assert behind.events == 2
    assert behind.since == AT + timedelta(hours=1)
    assert behind.slices == {slice_of(order_id(2)): 2}


async def test_slices_that_are_ahead_of_the_floor_miss_nothing(shop: Shop) -> None:
    await shop.append([*told((placed,), order_id(1)), *told((placed, confirmed), order_id(2))])
    behind = await shop.log.behind(await checkpoint(shop, 0, {slice_of(order_id(2)): 3}))
    assert behind.slices == {slice_of(order_id(1)): 1}
    assert behind.events == 1


async def test_beyond_the_limit_all_are_taken_to_be_missing(shop: Shop) -> None:
    await shop.append([event for n in range(10) for event in told((placed, confirmed), order_id(n))])
    behind = await shop.log.behind(await checkpoint(shop, 0), limit=5)
    assert behind.events == 20
    assert sum(behind.slices.values()) == 5


async def test_nothing_is_missing_at_the_head(shop: Shop) -> None:
    await shop.append(told((placed,), order_id(1)))
    behind = await shop.log.behind(await checkpoint(shop, 1))
    assert (behind.events, behind.since) == (0, None)


async def test_readers_find_the_lag_as_it_was_measured(shop: Shop) -> None:
    meter = Meter(shop.pool, {"orders": shop.log})
    async with working(shop):
        await caught_up(shop, await live(shop))
    await shop.append(told((placed, confirmed), order_id(1)), datetime.now(UTC) - timedelta(minutes=1))
    await meter.measure()
    async with shop.pool.connection() as connection:
        (standing,) = await standings(connection, "orders")
    assert (standing.name, standing.events, standing.slices) == ("orders@1", 2, {slice_of(order_id(1)): 2})
    assert standing.seconds is not None
    assert 59 < standing.seconds < 90


async def test_measuring_knows_every_consumer_of_the_log(shop: Shop) -> None:
    async with working(shop):
        await caught_up(shop, await live(shop))
    found = await measured(shop.pool, {"orders": shop.log})
    assert [(follower.consumer, behind.events) for follower, behind in found] == [("orders@1", 0)]
