from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest

from projections import generations
from projections.comparison import compare
from projections.generations import Generation, State
from projections.orders.projector import ORDERS
from projections.replay import ReplayRefused, Until
from tests.projections.replaying import Shop, a_shop, rows, some_events


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    async with a_shop(database) as shop:
        yield shop


@asynccontextmanager
async def working(shop: Shop, *, processes: int = 1) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(shop.workers().run()) for _ in range(processes)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[object]], within: float = 30) -> None:
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.02)


async def reached(shop: Shop, generation: Generation, status: State) -> Generation:
    """The generation as it is once it has this status."""

    async def has() -> bool:
        return (await shop.replays.generation(generation.model, generation.generation)).status is status

    await until(has)
    return await shop.replays.generation(generation.model, generation.generation)


async def caught_up(shop: Shop, generation: Generation) -> None:
    async def at_head() -> bool:
        async with shop.pool.connection() as connection:
            checkpoint = await generations.checkpoint_of(connection, generation, "orders")
        return checkpoint is not None and checkpoint.floor == (await shop.log.head())[1]

    await until(at_head)


async def live(shop: Shop) -> Generation:
    async with shop.pool.connection() as connection:
        found = await generations.live(connection, "orders")
    assert found is not None
    return found


async def test_a_replay_builds_the_same_rows_beside_the_live_ones(shop: Shop) -> None:
    await shop.append(some_events(200, Random(1)))
    async with working(shop):
        await caught_up(shop, await live(shop))
        built = await reached(shop, await shop.replays.start("orders"), State.READY)
        await caught_up(shop, built)
    assert built.name == "orders@2"
    assert await rows(shop.pool, "orders_2") == await rows(shop.pool, "orders_1")


async def test_the_indexes_are_those_of_the_live_one(shop: Shop) -> None:
    async with working(shop):
        await reached(shop, await shop.replays.start("orders"), State.READY)
    async with shop.pool.connection() as connection:
        found = await connection.execute(
            "SELECT schemaname, replace(indexdef, schemaname, '') FROM pg_indexes WHERE tablename = 'orders'"
        )
        indexes = await found.fetchall()
    assert {d for s, d in indexes if s == "orders_1"} == {d for s, d in indexes if s == "orders_2"} != set()


async def test_compare_then_switch_then_roll_back(shop: Shop) -> None:
    await shop.append(some_events(50, Random(2)))
    async with working(shop):
        await caught_up(shop, await live(shop))
        new = await reached(shop, await shop.replays.start("orders"), State.READY)
        with pytest.raises(ReplayRefused, match="was not compared with the live one yet"):
            await shop.replays.switch(new)
        found = await compare(shop.pool, ORDERS, await live(shop), new)
        assert found.equal
        assert found.rows == {"orders": 50}
        await shop.replays.compared(new, found)
        new = await shop.replays.switch(await shop.replays.generation("orders", 2))
        assert new.status is State.LIVE
        assert (await live(shop)).name == "orders@2"
        back = await shop.replays.rollback(new)
        assert back.name == "orders@1"
        assert back.status is State.LIVE


async def test_one_replay_at_a_time(shop: Shop) -> None:
    await shop.replays.start("orders")
    with pytest.raises(ReplayRefused, match="is on its way already"):
        await shop.replays.start("orders")


async def test_an_operation_that_is_carried_out_twice_starts_one_replay(shop: Shop) -> None:
    first = await shop.replays.start("orders")
    assert await shop.replays.start("orders", replay=first.replay) == first


async def test_what_is_cancelled_leaves_no_trace_but_its_number(shop: Shop) -> None:
    await shop.append(some_events(50, Random(3)))
    async with working(shop):
        started = await shop.replays.start("orders")
        cancelled = await shop.replays.cancel(started)
        again = await reached(shop, await shop.replays.start("orders"), State.READY)
    assert cancelled.status is State.CANCELLED
    assert again.name == "orders@3"
    async with shop.pool.connection() as connection:
        found = await connection.execute("SELECT consumer FROM projections.checkpoints ORDER BY 1")
        assert await found.fetchall() == [("orders@1",), ("orders@3",)]
        schema = await (await connection.execute("SELECT to_regnamespace('orders_2')")).fetchone()
        assert schema == (None,)


async def test_what_readers_see_cannot_be_dropped(shop: Shop) -> None:
    with pytest.raises(ReplayRefused, match="orders@1 is what readers see"):
        await shop.replays.drop(await live(shop))


async def test_until_a_position_builds_the_model_as_it_was_and_stays_there(shop: Shop) -> None:
    events = some_events(40, Random(4))
    await shop.append(events[:60])
    async with working(shop):
        await caught_up(shop, await live(shop))
        before = await rows(shop.pool, "orders_1")
        await shop.append(events[60:])
        await caught_up(shop, await live(shop))
        past = await reached(shop, await shop.replays.start("orders", until=Until(60)), State.READY)
    assert await rows(shop.pool, past.schema) == before
    with pytest.raises(ReplayRefused, match="as of position 60 and not followed"):
        await shop.replays.switch(past, force=True)
    assert (await shop.replays.drop(past)).status is State.DROPPED


async def test_until_a_position_that_is_still_to_come_is_refused(shop: Shop) -> None:
    with pytest.raises(ReplayRefused, match="the log of orders ends at 0"):
        await shop.replays.start("orders", until=Until(1))
