"""What a consumer cannot apply is put aside with all that follows it in its aggregate; the others flow on."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from domain.event import Event
from domain.money import Money
from domain.orders.events import OrderPlaced, OrderShipped
from domain.value import Address
from projections.consumer import Consumer
from projections.feed import Unreadable
from projections.model import Addends
from projections.orders.projector import ORDERS, orders
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from tests.domain.orders.samples import confirmed, placed, tea_shipped
from tests.projections.fakes import AT, FakeFeed, folded
from tests.projections.stories import order_id, told
from tests.projections.tallies import TALLIES, TallyRow, recomputed, tallied, tally
from tests.projections.test_consumer import a_bug, caught_up, rows, running, some_events, until


async def parked(pool: Pool) -> list[tuple[UUID, int, int, str]]:
    """Sequence, position, how many wait, why."""
    async with pool.connection() as connection:
        query = "SELECT sequence, position, waiting, reason FROM projections.parked ORDER BY position"
        return [(row[0], row[1], row[2], row[3]) for row in await (await connection.execute(query)).fetchall()]


def lost(number: int) -> Unreadable:
    return Unreadable(
        originator_id=order_id(number), originator_version=1, timestamp=AT, topic="orders.lost", reason="what is this?"
    )


async def test_an_event_that_cannot_be_applied_parks_its_order_and_all_others_flow_on(pool: Pool) -> None:
    sick = told((placed, confirmed, tea_shipped), order_id(1))
    feed = FakeFeed("orders", [*told((placed,), order_id(2)), *sick, *told((placed,), order_id(3))])
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    with a_bug(type(sick[1])):
        assert (await caught_up(consumer)).floor == 5
    assert await parked(pool) == [(order_id(1), 3, 1, "ZeroDivisionError: a bug")]
    found = await rows(pool)
    assert set(found) == {order_id(n) for n in (1, 2, 3)}
    assert found[order_id(1)].version == 1


async def test_what_comes_later_for_a_parked_order_waits_behind_it(pool: Pool) -> None:
    sick = told((placed, confirmed, tea_shipped), order_id(1))
    feed = FakeFeed("orders", sick[:2])
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    with a_bug(type(sick[1])):
        await caught_up(consumer)
    feed.append(sick[2])
    await caught_up(consumer)
    assert await parked(pool) == [(order_id(1), 2, 1, "ZeroDivisionError: a bug")]
    assert (await rows(pool))[order_id(1)].version == 1


async def test_an_event_that_cannot_be_read_is_parked(pool: Pool) -> None:
    feed = FakeFeed("orders", [*told((placed,), order_id(1)), lost(2), *told((placed,), order_id(3))])
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    assert await parked(pool) == [(order_id(2), 2, 0, "what is this?")]
    assert set(await rows(pool)) == {order_id(1), order_id(3)}


async def test_the_events_that_the_database_refuses_are_found_and_parked(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute(
            "ALTER TABLE orders_1.orders ADD CONSTRAINT unsent CHECK (json_array_length(shipments) = 0)"
        )
    feed = FakeFeed("orders", some_events())
    sick = {e.event.originator_id: e for e in reversed(feed.log) if isinstance(e.event, OrderShipped)}
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    found = await parked(pool)
    assert {(row[0], row[1]) for row in found} == {(id, e.position) for id, e in sick.items()}
    reasons = {row[3] for row in found}
    assert reasons == {'CheckViolation: new row for relation "orders" violates check constraint "unsent"'}
    healthy = [e for e in feed.log if (first := sick.get(e.event.originator_id)) is None or e.position < first.position]
    assert await rows(pool) == folded(ORDERS, healthy)[orders]


def with_sku(sku: str) -> Event:
    """Placed, with a text that some database or codec may not like."""
    (event,) = told((placed,), order_id(2))
    assert isinstance(event, OrderPlaced)
    line = event.lines[0].model_copy(update={"sku": sku})
    return event.model_copy(update={"lines": (line, *event.lines[1:])})


async def test_what_cannot_even_be_sent_to_the_database_is_parked(pool: Pool) -> None:
    sick = with_sku("half of a \ud83d pair")
    feed = FakeFeed("orders", [*told((placed,), order_id(1)), sick, *told((placed,), order_id(3))])
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    ((sequence, position, _, reason),) = await parked(pool)
    assert (sequence, position) == (order_id(2), 2)
    assert "PydanticSerializationError" in reason
    assert set(await rows(pool)) == {order_id(1), order_id(3)}


FIRST_SKU = "ADD COLUMN first_sku text GENERATED ALWAYS AS (lines -> 0 ->> 'sku') STORED"
MUCH = {"total": Money(amount=2**40, currency="EUR")}


@pytest.mark.parametrize(
    "change, sick, error",
    [
        (FIRST_SKU, with_sku("nul \0"), "UntranslatableCharacter"),
        ("ALTER COLUMN total TYPE smallint", with_sku("NB").model_copy(update=MUCH), "NumericValueOutOfRange"),
    ],
)
async def test_values_that_a_column_cannot_hold_are_parked(pool: Pool, change: str, sick: Event, error: str) -> None:
    async with pool.connection() as connection:
        await connection.execute("DROP VIEW reads.orders CASCADE")
        await connection.execute(f"ALTER TABLE orders_1.orders {change}".encode())
        await connection.execute("CREATE VIEW reads.orders AS SELECT * FROM orders_1.orders")
    feed = FakeFeed("orders", [*told((placed,), order_id(1)), sick, *told((placed,), order_id(3))])
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    ((sequence, position, _, reason),) = await parked(pool)
    assert (sequence, position) == (order_id(2), 2)
    assert error in reason


async def test_an_index_that_cannot_take_a_value_parks_its_event(pool: Pool) -> None:
    """PostgreSQL calls that an operational error, though it is the value's fault."""
    async with pool.connection() as connection:
        await connection.execute("CREATE INDEX too_small ON orders_1.orders ((lines ->> 0))")
    noise = "".join(sha256(str(n).encode()).hexdigest() for n in range(200))
    feed = FakeFeed("orders", [with_sku(noise), *told((placed,), order_id(3))])
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    ((sequence, _, _, reason),) = await parked(pool)
    assert sequence == order_id(2)
    assert "ProgramLimitExceeded" in reason
    assert set(await rows(pool)) == {order_id(3)}


async def test_a_row_that_this_release_cannot_read_parks_its_own_order_only(pool: Pool) -> None:
    feed = FakeFeed("orders", [*told((placed,), order_id(1)), *told((placed,), order_id(2))])
    consumer = Consumer(ModelSink(ORDERS), feed, pool)
    await caught_up(consumer)
    async with pool.connection() as connection:
        await connection.execute("UPDATE orders_1.orders SET status = 'LOST' WHERE id = %s", [order_id(1)])
    story = (placed, confirmed)
    feed.append(told(story, order_id(1))[1], told(story, order_id(2))[1])
    await caught_up(consumer)
    ((sequence, position, _, reason),) = await parked(pool)
    assert (sequence, position) == (order_id(1), 3)
    assert "ValidationError" in reason


async def test_a_reason_does_not_tell_the_row_that_the_database_refused(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE orders_1.orders ADD CONSTRAINT no_address CHECK (address IS NULL)")
    (event,) = told((placed,), order_id(1))
    await caught_up(Consumer(ModelSink(ORDERS), FakeFeed("orders", [event]), pool))
    ((_, _, _, reason),) = await parked(pool)
    assert reason == 'CheckViolation: new row for relation "orders" violates check constraint "no_address"'
    async with pool.connection() as connection:
        found = await (await connection.execute("SELECT to_json(p)::text FROM projections.parked p")).fetchone()
    assert found is not None
    assert isinstance(event, OrderPlaced)
    assert isinstance(event.address, Address)
    assert event.address.line1 not in found[0]


@pytest.mark.parametrize("limit", [1, 10])
async def test_what_waits_for_a_row_that_cannot_be_read_does_not_take_the_place_of_the_first(
    pool: Pool, limit: int
) -> None:
    first, *later = told((placed, confirmed, tea_shipped), order_id(1))
    feed = FakeFeed("orders", [first])
    consumer = Consumer(ModelSink(ORDERS), feed, pool, limit=limit)
    await caught_up(consumer)
    async with pool.connection() as connection:
        await connection.execute("UPDATE orders_1.orders SET status = 'LOST' WHERE id = %s", [order_id(1)])
    feed.append(*later)
    await caught_up(consumer)
    ((sequence, position, waiting, _),) = await parked(pool)
    assert (sequence, position, waiting) == (order_id(1), 2, 1)


async def test_a_bug_that_strikes_every_order_does_not_flood_the_log(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    feed = FakeFeed("orders", [event for n in range(50) for event in told((confirmed,), order_id(n))])
    assert (await caught_up(Consumer(ModelSink(ORDERS), feed, pool))).floor == 50
    assert len(await parked(pool)) == 50
    messages = [record.getMessage() for record in caplog.records if record.name == "projections.consumer"]
    assert len(messages) == 6
    assert messages[-1] == "orders@1 parked 45 more: chobo parked list --groups"


async def test_an_order_whose_share_of_a_sum_cannot_be_told_is_parked(pool: Pool, database: str) -> None:
    def share(row: TallyRow) -> Addends:
        if row.id == order_id(1) and row.version > 1:
            raise KeyError("a bug")
        return tally(row)

    model = replace(TALLIES, sums=(replace(TALLIES.sums[0], adds={tallied: share}),))
    await prepare(database, [model])
    sick = told((placed, confirmed, tea_shipped), order_id(1))
    feed = FakeFeed("orders", [*sick, *told((placed, confirmed), order_id(2))])
    await caught_up(Consumer(ModelSink(model), feed, pool))
    assert await parked(pool) == [(order_id(1), 2, 1, "CannotAdd: KeyError: 'a bug'")]
    async with pool.connection() as connection:
        found = await tallied.table.load(connection, "reads", [order_id(1), order_id(2)])
        assert [found[order_id(n)].version for n in (1, 2)] == [1, 2]
        query = "SELECT status, open, orders, events FROM reads.tallies WHERE orders + events <> 0"
        sums = await (await connection.execute(query)).fetchall()
    kept = {(s, o): {c: n for c, n in (("orders", a), ("events", b)) if n} for s, o, a, b in sums}
    assert kept == recomputed(found.values())


async def test_an_error_that_says_what_no_column_takes_is_told_otherwise(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("half of a \ud83d pair, and \0")

    monkeypatch.setattr(orders, "apply", fails)
    await caught_up(Consumer(ModelSink(ORDERS), FakeFeed("orders", told((placed,), order_id(1))), pool))
    assert await parked(pool) == [(order_id(1), 1, 0, "RuntimeError: half of a \\ud83d pair, and \\0")]


async def test_what_a_row_holds_is_not_logged_when_something_else_fails_too(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database names the whole row that it refuses."""
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE orders_1.orders ADD CONSTRAINT nobody CHECK (address IS NULL)")

    async def fails(*_: object) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr("projections.consumer.write", fails)
    (event,) = told((placed,), order_id(1))
    assert isinstance(event, OrderPlaced)
    assert isinstance(event.address, Address)
    consumer = Consumer(ModelSink(ORDERS), FakeFeed("orders", [event]), pool)
    async with running(consumer):
        await until(lambda: "something else" in caplog.text)
    assert event.address.line1 not in caplog.text
