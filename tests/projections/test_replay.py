"""Generations: built, compared, switched to, rolled back, thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.event import Event
from domain.ids import slice_of
from domain.orders.events import OrderConfirmed
from domain.token import ConsistencyToken
from projections.comparison import Kind, compare
from projections.consumer import Consumer
from projections.generations import Generation, State
from projections.model import Model
from projections.orders.projector import ORDERS, orders
from projections.orders.row import OrderRow
from projections.replay import ReplayRefused, Until
from projections.schema import ShapeChanged, require_shape
from projections.sink import ModelSink
from projections.waiting import Watch
from tests.domain.orders.samples import confirmed, placed
from tests.full import size
from tests.projections.replaying import (
    Shop,
    a_shop,
    caught_up,
    eventually,
    live,
    reached,
    rows,
    some_events,
    working,
)
from tests.projections.stories import logs, order_id, told
from tests.projections.tallies import TALLIES


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    async with a_shop(database) as shop:
        yield shop


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


async def test_what_readers_were_led_to_meanwhile_is_neither_cancelled_nor_dropped(shop: Shop) -> None:
    """Who asked saw it as it was before the switch."""
    await shop.append(some_events(20, Random(1)))
    first = await live(shop)
    async with working(shop):
        await caught_up(shop, first)
        built = await reached(shop, await shop.replays.start("orders"), State.READY)
        await caught_up(shop, built)
        switched = await shop.replays.switch(built, force=True)
        with pytest.raises(ReplayRefused, match="orders@2 is LIVE"):
            await shop.replays.cancel(built)
        kept = await shop.replays.generation("orders", first.generation)
        await shop.replays.rollback(switched)
        with pytest.raises(ReplayRefused, match="orders@1 is what readers see"):
            await shop.replays.drop(kept)
    assert await rows(shop.pool, "reads") == await rows(shop.pool, first.schema) != {}


async def test_what_was_cancelled_meanwhile_is_not_switched_to(shop: Shop) -> None:
    async with working(shop):
        built = await reached(shop, await shop.replays.start("orders"), State.READY)
        await shop.replays.cancel(built)
        with pytest.raises(ReplayRefused, match="orders@2 is CANCELLED"):
            await shop.replays.switch(built, force=True)


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


async def test_until_a_time_builds_what_was_recorded_by_then(shop: Shop) -> None:
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    await shop.append(told((placed,), order_id(1)), noon - timedelta(seconds=1))
    await shop.append(told((placed,), order_id(2)), noon)
    await shop.append(told((placed,), order_id(3)), noon + timedelta(seconds=1))
    past = await shop.replays.start("orders", until=Until(noon))
    assert past.ends == {"orders": 2}
    await shop.builder.build(past)
    assert set(await rows(shop.pool, past.schema)) == {order_id(1), order_id(2)}


@contextmanager
def another(event: type[Event], function: Any) -> Iterator[None]:
    """The projector of orders as another release had it."""
    right, orders._on[event] = orders._on[event], function
    try:
        yield
    finally:
        orders._on[event] = right


async def test_a_wrong_fold_is_put_right_by_a_replay_and_the_comparison_names_what_was_wrong(shop: Shop) -> None:
    await shop.append([*told((placed, confirmed), order_id(1)), *told((placed,), order_id(2))])
    with another(OrderConfirmed, lambda row, _: row):
        async with working(shop):
            await caught_up(shop, await live(shop))
    async with working(shop):
        new = await reached(shop, await shop.replays.start("orders"), State.READY)
        found = await compare(shop.pool, ORDERS, await live(shop), new)
        assert found.counts == {Kind.DIFFERENT: 1}
        assert [(d.key, d.columns) for d in found.named] == [(str(order_id(1)), ("status", "timeline"))]
        await shop.replays.compared(new, found)
        await shop.replays.switch(await shop.replays.generation("orders", 2))
    async with shop.pool.connection() as connection:
        seen = await (await connection.execute("SELECT status FROM reads.orders ORDER BY status")).fetchall()
    assert seen == [("CONFIRMED",), ("PLACED",)]


def fails(row: OrderRow, event: OrderConfirmed) -> OrderRow:
    raise ZeroDivisionError("a bug")


async def test_what_is_parked_in_the_new_generation_blocks_the_switch_unless_forced(shop: Shop) -> None:
    await shop.append([*told((placed, confirmed), order_id(1)), *told((placed,), order_id(2))])
    async with working(shop):
        await caught_up(shop, await live(shop))
        with another(OrderConfirmed, fails):
            new = await reached(shop, await shop.replays.start("orders"), State.READY)
        found = await compare(shop.pool, ORDERS, await live(shop), new)
        assert [(d.kind, d.key) for d in found.named] == [(Kind.VERSION, str(order_id(1)))]
        await shop.replays.compared(new, found)
        new = await shop.replays.generation("orders", 2)
        with pytest.raises(ReplayRefused, match="orders@2 has 1 parked"):
            await shop.replays.switch(new)
        assert (await shop.replays.switch(new, force=True)).status is State.LIVE


async def test_rows_that_only_one_generation_has_are_named(shop: Shop) -> None:
    await shop.append([event for n in range(4) for event in told((placed,), order_id(n))])
    async with working(shop):
        await caught_up(shop, await live(shop))
        new = await reached(shop, await shop.replays.start("orders"), State.READY)
        async with shop.pool.connection() as connection:
            await connection.execute("DELETE FROM orders_1.orders WHERE id = %s", [order_id(1)])
            await connection.execute("DELETE FROM orders_2.orders WHERE id = %s", [order_id(2)])
        found = await compare(shop.pool, ORDERS, await live(shop), new)
    assert {(d.kind, d.key) for d in found.named} == {
        (Kind.SURPLUS, str(order_id(1))),
        (Kind.MISSING, str(order_id(2))),
    }


async def test_a_generation_that_is_behind_is_not_switched_to(shop: Shop) -> None:
    await shop.append(told((placed,), order_id(1)))
    async with working(shop):
        await caught_up(shop, await live(shop))
        new = await reached(shop, await shop.replays.start("orders"), State.READY)
    async with shop.pool.connection() as connection:
        await connection.execute("UPDATE projections.checkpoints SET floor = 0 WHERE consumer = 'orders@2'")
    with pytest.raises(ReplayRefused, match="it is behind orders@1"):
        await shop.replays.switch(new, force=True, within=0.2)
    assert (await live(shop)).name == "orders@1"


async def test_sums_are_built_and_compared_too(database: str) -> None:
    async with a_shop(database, TALLIES) as shop:
        await shop.append(some_events(60, Random(5)))
        async with working(shop):
            await caught_up(shop, await live(shop, "tallies"))
            new = await reached(shop, await shop.replays.start("tallies"), State.READY)
            await caught_up(shop, new)
            before = await compare(shop.pool, TALLIES, await live(shop, "tallies"), new)
            async with shop.pool.connection() as connection:
                await connection.execute("UPDATE tallies_2.tallies SET orders = orders + 1 WHERE NOT open")
            after = await compare(shop.pool, TALLIES, await live(shop, "tallies"), new)
    assert before.equal
    assert before.rows["tallied"] == 60
    assert {d.table for d in after.named} == {"tallies"}
    assert set(after.counts) == {Kind.DIFFERENT}


@dataclass(frozen=True)
class Reshaped(Model):
    """Orders in a release with another table.sql: one column is called otherwise, another is new."""

    @property
    def table_sql(self) -> str:
        return super().table_sql.replace("saga_id        uuid,", "saga_id uuid,\n    colour text,")


async def test_another_table_sql_is_built_and_switched_to_by_itself(database: str) -> None:
    async with a_shop(database) as before:
        await before.append(told((placed, confirmed), order_id(1)))
        async with working(before):
            await caught_up(before, await live(before))
    changed = Reshaped(ORDERS.name, ORDERS.contexts, ORDERS.projectors)
    async with a_shop(database, changed) as after:
        with pytest.raises(ShapeChanged, match=r"orders@1 was made from another table.sql"):
            await require_shape(after.pool, [changed])
        async with working(after, processes=2):
            await reached(after, await _number(after, 2), State.LIVE)
            await require_shape(after.pool, [changed])
        async with after.pool.connection() as connection:
            seen = await (await connection.execute("SELECT id, status, colour FROM reads.orders")).fetchall()
    assert seen == [(order_id(1), "CONFIRMED", None)]


async def _number(shop: Shop, number: int) -> Generation:
    async def there() -> bool:
        return any(g.generation == number for g in await shop.generations())

    await eventually(there)
    return await shop.replays.generation("orders", number)


async def test_a_process_of_an_earlier_release_does_not_build_its_shape_again(database: str) -> None:
    changed = Reshaped(ORDERS.name, ORDERS.contexts, ORDERS.projectors)
    async with a_shop(database) as before, a_shop(database, changed) as after:
        async with working(after):
            await reached(after, await _number(after, 2), State.LIVE)
        await before.workers().look()
        assert [(g.name, g.status) for g in await before.generations()] == [
            ("orders@1", State.KEPT),
            ("orders@2", State.LIVE),
        ]


@pytest.fixture(scope="module")
def prepared(module_database: str) -> str:
    asyncio.run(_prepared(module_database))
    return module_database


async def _prepared(database: str) -> None:
    async with a_shop(database):
        pass


@pytest.mark.full("replay")
@settings(phases=(Phase.generate,), max_examples=size(15, 500, suite="replay"))
@given(logs, st.integers(1, 8), st.integers(1, 20))
def test_a_replay_comes_to_what_following_came_to(prepared: str, events: list[Event], parts: int, batch: int) -> None:
    asyncio.run(_replayed(prepared, events, parts, batch))


async def _replayed(database: str, events: list[Event], parts: int, batch: int) -> None:
    """In whatever parts and batches, any history."""
    async with a_shop(database, batch=batch) as shop:
        async with shop.pool.connection() as connection:
            await connection.execute("TRUNCATE orders.stored_events, orders_1.orders")
            await connection.execute("DELETE FROM projections.checkpoints")
        await shop.append(events)
        shop.replays._parts = parts
        async with shop.feed_of("orders@1", "orders") as feed:
            consumer = Consumer(ModelSink(ORDERS), feed, shop.pool)
            await consumer.step(await consumer.open())
        new = await shop.replays.start("orders")
        await shop.builder.build(new)
        assert await rows(shop.pool, new.schema) == await rows(shop.pool, "orders_1")
        assert len(await rows(shop.pool, new.schema)) == len({event.originator_id for event in events})
        new = await shop.replays.generation("orders", new.generation)
        assert new.status is State.READY
        await shop.replays.cancel(new)


async def test_who_waits_to_read_their_own_writes_waits_for_what_readers_are_about_to_see(shop: Shop) -> None:
    await shop.append(told((placed,), order_id(1)))
    incarnation, head = await shop.log.head()
    token = ConsistencyToken.of("orders", incarnation, [(slice_of(order_id(1)), head)])
    async with working(shop):
        await caught_up(shop, await live(shop))
        new = await reached(shop, await shop.replays.start("orders"), State.READY)
    async with shop.pool.connection() as connection:
        await connection.execute("UPDATE projections.checkpoints SET floor = 0 WHERE consumer = 'orders@2'")
    assert (await Watch(shop.pool).wait(token, 0.1)).satisfied
    with pytest.raises(ReplayRefused):
        await shop.replays.switch(new, force=True, within=0.1)
    assert (await Watch(shop.pool).wait(token, 0.1)).satisfied, "given up, it is waited for no longer"
    await shop.replays._announce(new)
    assert not (await Watch(shop.pool).wait(token, 0.1)).satisfied
