"""Events that ask for work: each adds one row, with the checkpoint, and never for the past."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.orders.events import OrderConfirmed, OrderExpired, OrderPlaced
from projections.asking import CONSUMER, LeavesOut, Rule, TodoSink, begin, begin_again, row_id
from projections.consumer import Consumer
from projections.feed import Unreadable
from projections.pool import Pool
from tests.domain.orders.samples import confirmed, expired, placed
from tests.projections.fakes import AT, FakeFeed, recorded
from tests.projections.stories import order_id, told
from tests.projections.test_consumer import caught_up

RULES = [
    Rule(OrderPlaced, "greet", data=lambda event: {"customer": str(event.customer_id)}),
    Rule(OrderExpired, "remind", due_at=lambda event: event.timestamp + timedelta(days=1)),
]


def consumer(feed: FakeFeed, pool: Pool) -> Consumer:
    return Consumer(TodoSink("orders", RULES), feed, pool)


async def rows(pool: Pool) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT to_jsonb(t) FROM projections.todo t ORDER BY id")
        return [row for (row,) in await cursor.fetchall()]


async def ids(pool: Pool) -> list[UUID]:
    return [UUID(row["id"]) for row in await rows(pool)]


async def test_an_event_that_asks_for_work_adds_a_row_of_its_id(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed, confirmed, expired), order_id(1)))
    await caught_up(consumer(feed, pool))
    greet, remind = await rows(pool)
    assert [UUID(row["id"]) for row in (greet, remind)] == [feed.log[0].event_id, feed.log[2].event_id]
    assert (greet["kind"], greet["context"], greet["subject"]) == ("greet", "orders", str(order_id(1)))
    event = feed.log[0].event
    assert isinstance(event, OrderPlaced)
    assert greet["data"] == {"customer": str(event.customer_id)}
    assert (greet["correlation_id"], greet["causation_id"]) == ("test", greet["id"])
    assert datetime.fromisoformat(remind["due_at"]) == feed.log[2].event.timestamp + timedelta(days=1)


async def test_a_feed_that_repeats_itself_adds_nothing(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    await caught_up(consumer(feed, pool))
    async with pool.connection() as connection:
        await begin_again(connection, "orders", feed.incarnation, 0)
    await caught_up(consumer(feed, pool))
    assert await ids(pool) == [feed.log[0].event_id]


async def test_a_new_consumer_begins_at_the_head_and_an_old_one_where_it_stood(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))

    async def begun() -> None:
        async with pool.connection() as connection:
            await begin(connection, "orders", *(await feed.head()))

    await begun()
    feed.append(*told((placed,), order_id(2)))
    await begun()
    await caught_up(consumer(feed, pool))
    assert await ids(pool) == [feed.log[1].event_id]


async def test_told_to_it_goes_back(pool: Pool) -> None:
    feed = FakeFeed("orders", [*told((placed,), order_id(1)), *told((placed,), order_id(2))])
    async with pool.connection() as connection:
        await begin(connection, "orders", *(await feed.head()))
        await begin_again(connection, "orders", feed.incarnation, 1)
    await caught_up(consumer(feed, pool))
    assert await ids(pool) == [feed.log[1].event_id]


async def test_what_cannot_be_read_is_parked_only_if_it_might_ask_for_something(pool: Pool) -> None:
    lost = [
        Unreadable(originator_id=order_id(n), originator_version=1, timestamp=AT, topic=topic, reason="corrupt")
        for n, topic in [(1, OrderPlaced.TOPIC), (2, OrderConfirmed.TOPIC)]
    ]
    await caught_up(consumer(FakeFeed("orders", lost), pool))
    async with pool.connection() as connection:
        parked = await (await connection.execute("SELECT consumer, sequence FROM projections.parked")).fetchall()
    assert parked == [(CONSUMER, order_id(1))]
    assert await rows(pool) == []


async def test_what_is_parked_is_not_left_behind(pool: Pool) -> None:
    lost = Unreadable(
        originator_id=order_id(1), originator_version=1, timestamp=AT, topic=OrderPlaced.TOPIC, reason="corrupt"
    )
    feed = FakeFeed("orders", [*told((placed,), order_id(2)), lost, *told((placed,), order_id(3))])
    await caught_up(consumer(feed, pool))
    async with pool.connection() as connection:
        for position in (2, 3):
            with pytest.raises(
                LeavesOut, match=r"^1 sequences of orders .* at position 2: begin before it \(--from 1;"
            ):
                await begin_again(connection, "orders", feed.incarnation, position)
        await begin_again(connection, "orders", feed.incarnation, 1)
    (event,) = told((placed,), order_id(1))
    feed.log[1] = recorded(event, 2)
    await caught_up(consumer(feed, pool))
    assert await ids(pool) == [one.event_id for one in feed.log]


async def test_an_event_can_ask_for_several_things_each_once(pool: Pool) -> None:
    feed = FakeFeed("orders", told((placed,), order_id(1)))
    rules = [*RULES, Rule(OrderPlaced, "weigh"), Rule(OrderPlaced, "notify")]
    for _ in range(2):
        await caught_up(Consumer(TodoSink("orders", rules), feed, pool))
        async with pool.connection() as connection:
            await begin_again(connection, "orders", feed.incarnation, 0)
    event = feed.log[0].event_id
    found = {row["kind"]: (UUID(row["id"]), UUID(row["causation_id"])) for row in await rows(pool)}
    assert found == {
        "greet": (event, event),
        "weigh": (row_id(event, "weigh"), event),
        "notify": (row_id(event, "notify"), event),
    }


def test_one_thing_is_not_asked_for_twice() -> None:
    with pytest.raises(ValueError, match=r"two rules ask for greet on orders\.order-placed"):
        TodoSink("orders", [*RULES, Rule(OrderPlaced, "greet")])
