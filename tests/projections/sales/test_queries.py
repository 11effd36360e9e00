"""Sales by day in the read database: sums that agree with the rows they are made of, however they were applied."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.event import Event
from domain.money import MAX_AMOUNT, Money
from projections.consumer import Consumer
from projections.model import Addends
from projections.models import MODELS
from projections.pool import Pool
from projections.sales.projector import SALES, order_days, order_sales, payment_days, payment_sales
from projections.sales.queries import by_day, sales_by_day
from projections.sales.row import DayRow
from projections.schema import prepare
from projections.sink import ModelSink
from tests.domain.orders.samples import placed
from tests.domain.payments.samples import WAYS_TO
from tests.full import randomness
from tests.projections.fakes import FakeFeed, folded
from tests.projections.plans import assert_indexed
from tests.projections.stories import STORIES, mixed, order_id
from tests.specification import Make

FIRST, LAST = date(2026, 1, 2), date(2026, 1, 6)


def some_events(stories: Sequence[Sequence[Make]], count: int) -> list[Event]:
    """Of so many streams, one event of a random one after the other, on any of five days."""
    chance = randomness()
    events = mixed([chance.randrange(count) for _ in range(8 * count)], [chance.choice(stories) for _ in range(count)])
    return [e.model_copy(update={"timestamp": e.timestamp + timedelta(days=chance.randrange(5))}) for e in events]


async def apply(pool: Pool, feed: FakeFeed, at_once: int) -> None:
    consumer = Consumer(ModelSink(SALES), feed, pool, limit=at_once)
    checkpoint = await consumer.open()
    while (after := await consumer.step(checkpoint)) is not checkpoint:
        checkpoint = after


def summed(added: Iterable[Addends]) -> dict[tuple[Any, ...], dict[str, int]]:
    """By day and currency, without noughts."""
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for each in added:
        for key, columns in each.items():
            sums.setdefault(key, Counter()).update(columns)
    return {key: {name: n for name, n in columns.items() if n} for key, columns in sums.items()}


def shown(rows: Iterable[DayRow]) -> dict[tuple[Any, ...], dict[str, int]]:
    numbers = ((row, {name: n for name, n in asdict(row).items() if name not in {"day", "currency"}}) for row in rows)
    return {(row.day, row.currency): {name: n for name, n in columns.items() if n} for row, columns in numbers}


@pytest.mark.parametrize("at_once", [1, 7, 1000])
async def test_the_days_add_up_what_orders_and_payments_add(pool: Pool, at_once: int) -> None:
    orders = FakeFeed("orders", some_events(STORIES, 40))
    payments = FakeFeed("payments", some_events([*WAYS_TO.values()], 40))
    await asyncio.gather(apply(pool, orders, at_once), apply(pool, payments, at_once))
    expected = [order_days(row) for row in folded(SALES, orders.log)[order_sales].values()]
    expected += [payment_days(row) for row in folded(SALES, payments.log)[payment_sales].values()]
    assert shown(await sales_by_day(pool, FIRST, LAST)) == summed(expected)


async def test_only_the_days_and_currencies_asked_for_are_shown(pool: Pool) -> None:
    yen = Money(amount=4155, currency="JPY")
    orders = [placed(order_id(n), 1) for n in range(4)]
    orders[1] = orders[1].model_copy(update={"total": yen})
    orders[2] = orders[2].model_copy(update={"timestamp": orders[2].timestamp + timedelta(days=1)})
    await apply(pool, FakeFeed("orders", orders), 10)
    tomorrow = FIRST + timedelta(days=1)
    found = await sales_by_day(pool, FIRST, tomorrow)
    assert [(row.day, row.currency, row.placed) for row in found] == [
        (FIRST, "EUR", 2),
        (FIRST, "JPY", 1),
        (tomorrow, "EUR", 1),
    ]
    assert await sales_by_day(pool, FIRST, tomorrow, ["EUR"]) == [found[0], found[2]]
    assert await sales_by_day(pool, tomorrow, LAST) == [found[2]]
    assert await sales_by_day(pool, LAST, FIRST) == []


async def test_no_number_of_orders_is_too_much_for_a_day(pool: Pool) -> None:
    most = Money(amount=MAX_AMOUNT, currency="EUR")
    orders = [placed(UUID(int=n), 1).model_copy(update={"total": most}) for n in range(1, 1101)]
    await apply(pool, FakeFeed("orders", orders), 1000)
    [day] = await sales_by_day(pool, FIRST, FIRST)
    assert (day.placed, day.placed_amount) == (1100, 1100 * MAX_AMOUNT)


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Twenty years in ten currencies."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO sales_1.sales_by_day (day, currency) SELECT date '2026-01-01' - n, 'CU' || c"
            " FROM generate_series(1, 7300) n, generate_series(1, 10) c"
        )
        connection.execute("VACUUM ANALYZE sales_1.sales_by_day")
        yield connection


@pytest.mark.parametrize("currencies", [None, ["CU1"], ["CU1", "CU2"]])
def test_a_range_of_days_is_served_by_an_index(filled: psycopg.Connection[Any], currencies: list[str] | None) -> None:
    assert_indexed(filled, by_day(date(2025, 1, 1), date(2025, 3, 31), currencies))
