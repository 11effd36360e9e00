"""What the read models say is personal in them is all that is; clearing it away leaves what folding erased events does.

Every event that has personal fields is folded from its golden samples, with texts in them that occur nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from domain.event import ERASED, Event, personal_fields
from projections.consumer import Consumer
from projections.feed import Recorded
from projections.generations import State, add, listed
from projections.model import Model, Projector
from projections.models import MODELS
from projections.orders.projector import ORDERS, orders
from projections.pool import Pool
from projections.sink import ModelSink
from projections.sweeping import Swept, sweep
from tests.domain.orders.samples import CUSTOMER
from tests.golden.corpus import Sample, histories, samples_of
from tests.projections.fakes import FakeFeed, recorded
from tests.projections.stories import STORIES, mixed, order_id
from tests.projections.test_consumer import caught_up

Rows = dict[tuple[Projector[Any], UUID], Any]
MARK = "zqjx"


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all texts in a JSON value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, (*path, key))


def put(value: Any, path: Sequence[Any], text: str) -> Any:
    if not path:
        return text
    copied = value.copy()
    copied[path[0]] = put(value[path[0]], path[1:], text)
    return copied


def marked(sample: Sample, numbers: Iterator[int]) -> Event:
    """With a text of its own wherever the field takes one: a name does, a country does not."""
    for path in leaves(sample.personal):
        number = next(numbers)
        for text in (f"{MARK}{number}@example.org", f"https://{MARK}{number}.example.org/a"):
            other = replace(sample, personal=put(sample.personal, path, text))
            try:
                other.event  # noqa: B018  # does it take it?
            except ValidationError:
                continue
            sample = other
            break
    return sample.event


def erased(event: Event) -> Event:
    return event.model_copy(update=dict.fromkeys(personal_fields(type(event)), ERASED))


def folded(model: Model, events: Sequence[Event]) -> Rows:
    rows: Rows = {}
    for event in events:
        for projector, id in model.touched(event):
            rows[projector, id] = projector.apply(rows.get((projector, id)), told(event))
    return rows


def told(event: Event) -> Recorded:
    return recorded(event, event.originator_version)


def shows(row: Any) -> bool:
    return MARK.encode() in to_json(row, fallback=dict)


def stories(model: Model) -> Iterator[list[Event]]:
    numbers = count(1)
    for context in model.contexts:
        for before, sample in histories(samples_of(context)):
            if sample.personal:
                yield [marked(each, numbers) for each in [*before, sample]]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_all_that_is_personal_in_a_row_is_cleared_away(model: Model) -> None:
    known = {personal.table.name: personal for personal in model.personal}
    for events in stories(model):
        plain, without = folded(model, events), folded(model, [erased(event) for event in events])
        for (projector, id), row in plain.items():
            if not shows(row):
                continue
            personal = known[projector.table.name]  # else: something personal in a table that does not say so
            assert getattr(row, personal.owner) == events[-1].owner
            assert personal.cleared(row) == without[projector, id]
            assert not shows(personal.cleared(row))


@pytest.mark.parametrize("model", [m for m in MODELS if m.personal], ids=lambda model: model.name)
def test_the_stories_are_told_with_something_personal(model: Model) -> None:
    """Or the test above would show nothing."""
    shown = {p.table.name for events in stories(model) for (p, _), row in folded(model, events).items() if shows(row)}
    assert shown == {personal.table.name for personal in model.personal}


async def test_the_rows_of_a_user_are_swept_and_nobody_elses(pool: Pool) -> None:
    feed = FakeFeed("orders", mixed([], STORIES))
    await caught_up(Consumer(ModelSink(ORDERS), feed, pool))
    ids = [order_id(n) for n in range(len(STORIES))]
    async with pool.connection() as connection:
        (live,) = await listed(connection, "orders")
        await connection.execute("UPDATE orders_1.orders SET customer_id = %s WHERE id = %s", [UUID(int=1), ids[0]])
        before = await orders.table.load(connection, live.schema, ids)
        (swept,) = await sweep(connection, ORDERS, live, CUSTOMER)
        again = await sweep(connection, ORDERS, live, CUSTOMER)
        after = await orders.table.load(connection, live.schema, ids)
    assert after[ids[0]] == before[ids[0]]
    without = folded(ORDERS, [erased(event) for event in mixed([], STORIES)])
    assert {id: after[id] for id in ids[1:]} == {id: without[orders, id] for id in ids[1:]}
    assert (swept.table, swept.rows) == ("orders", len(STORIES) - 1)
    assert 0 < swept.cleared <= swept.rows
    assert again == [Swept("orders", swept.rows, 0)]


async def test_rows_of_a_shape_that_this_release_does_not_know_go_as_a_whole(pool: Pool) -> None:
    await caught_up(Consumer(ModelSink(ORDERS), FakeFeed("orders", mixed([], STORIES)), pool))
    async with pool.connection() as connection:
        await connection.execute("UPDATE projections.generations SET shape = 'other' WHERE model = 'orders'")
        await connection.execute("ALTER TABLE orders_1.orders DROP COLUMN timeline CASCADE")
        (live,) = await listed(connection, "orders")
        assert await sweep(connection, ORDERS, live, CUSTOMER) == [Swept("orders", len(STORIES), len(STORIES))]
        left = await connection.execute("SELECT count(*) FROM orders_1.orders")
        assert await left.fetchone() == (0,)


async def test_a_generation_that_has_gone_needs_no_sweep(pool: Pool) -> None:
    async with pool.connection() as connection:
        number = await add(connection, ORDERS, State.READY)
        building = next(g for g in await listed(connection, "orders") if g.generation == number)
        await connection.execute(
            "UPDATE projections.generations SET status = 'DROPPED' WHERE (model, generation) = ('orders', %s)", [number]
        )
        assert await sweep(connection, ORDERS, building, CUSTOMER) == []


async def test_a_shape_with_other_tables_is_swept_of_every_row_that_names_the_user(pool: Pool) -> None:
    """As an earlier release may have them: neither the table nor the column need be where they are now."""
    await caught_up(Consumer(ModelSink(ORDERS), FakeFeed("orders", mixed([], STORIES)), pool))
    async with pool.connection() as connection:
        await connection.execute("UPDATE projections.generations SET shape = 'other' WHERE model = 'orders'")
        await connection.execute("ALTER TABLE orders_1.orders RENAME COLUMN customer_id TO buyer")
        await connection.execute("ALTER TABLE orders_1.orders RENAME TO purchases")
        await connection.execute("CREATE TABLE orders_1.notes (of_users uuid[], note text)")
        await connection.execute(
            "INSERT INTO orders_1.notes VALUES (%s, 'about them'), (%s, 'about another')", [[CUSTOMER], [UUID(int=7)]]
        )
        (live,) = await listed(connection, "orders")
        swept = await sweep(connection, ORDERS, live, CUSTOMER)
        assert swept == [Swept("notes", 1, 1), Swept("purchases", len(STORIES), len(STORIES))]
        assert await sweep(connection, ORDERS, live, CUSTOMER) == [Swept("notes", 0, 0), Swept("purchases", 0, 0)]
        left = await (await connection.execute("SELECT note FROM orders_1.notes")).fetchall()
        assert left == [("about another",)]
