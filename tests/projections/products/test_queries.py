"""Products, stock and categories in the read database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.products import categories
from domain.products.events import CategoryCreated, CategoryMoved, CategoryRemoved
from projections.consumer import Consumer
from projections.generations import READS
from projections.pool import Pool
from projections.products.projector import PRODUCTS, products, reservations, search, stock
from projections.products.queries import PRODUCTS as LISTED
from projections.products.queries import (
    RESERVATIONS,
    categories_by_id,
    paths_to,
    products_by_sku,
    reservations_of,
    stock_of,
    tree,
)
from projections.sink import ModelSink
from tests.domain.products.histories import (
    DOLLS,
    HELD,
    ORDER,
    OTHER,
    OTHER_ORDER,
    SHIRT,
    TOYS,
    TRAINS,
    drafted,
    held,
    small,
)
from tests.golden.corpus import samples_of
from tests.projections.fakes import FakeFeed, folded
from tests.specification import a


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed("products")


async def follow(feed: FakeFeed, pool: Pool) -> None:
    consumer = Consumer(ModelSink(PRODUCTS), feed, pool)
    await consumer.step(await consumer.open())


async def test_rows_read_back_as_they_were_folded(feed: FakeFeed, pool: Pool):
    feed.append(*(sample.event for sample in samples_of("products")))
    await follow(feed, pool)
    rows: Any = folded(PRODUCTS, feed.log)
    assert await LISTED.many(pool, rows[products]) == rows[products]
    assert await RESERVATIONS.many(pool, rows[reservations]) == rows[reservations]
    async with pool.connection() as connection:
        assert await search.table.load(connection, READS, rows[search]) == rows[search]
    assert await stock_of(pool, [*rows[stock], UUID(int=1)]) == [*rows[stock].values(), None]
    assert [row.name for row in await tree(pool)] == ["Green tea", "Tea"]


async def test_a_path_leads_from_the_top_and_follows_a_move(feed: FakeFeed, pool: Pool):
    story = [
        a(CategoryCreated, category_id=TOYS, name="Toys", parent_id=None),
        a(CategoryCreated, category_id=DOLLS, name="Dolls", parent_id=TOYS),
        a(CategoryCreated, category_id=TRAINS, name="Trains", parent_id=None),
        a(CategoryMoved, category_id=DOLLS, parent_id=TRAINS),
        a(CategoryRemoved, category_id=TOYS),
    ]
    feed.append(*(make(categories.TREE, version) for version, make in enumerate(story, 1)))
    await follow(feed, pool)
    found = await paths_to(pool, [TOYS, DOLLS, UUID(int=1)])
    assert [[step.name for step in steps] for steps in found] == [[], ["Trains", "Dolls"], []]
    assert [row and row.name for row in await categories_by_id(pool, [TOYS, DOLLS])] == [None, "Dolls"]


async def test_a_product_is_found_by_the_sku_of_a_variant_however_it_is_written(feed: FakeFeed, pool: Pool):
    feed.append(drafted(SHIRT, 1), small(SHIRT, 2))
    await follow(feed, pool)
    found = await products_by_sku(pool, ["nothing", "shirt-s", "SHIRT-S"])
    assert [row and row.id for row in found] == [None, SHIRT, SHIRT]


async def test_what_is_held_for_an_order_is_found_by_it(feed: FakeFeed, pool: Pool):
    later = held(OTHER, 1).model_copy(update={"timestamp": held(OTHER, 1).timestamp + timedelta(seconds=1)})
    feed.append(later, held(HELD, 1))
    await follow(feed, pool)
    found = await reservations_of(pool, [OTHER_ORDER, ORDER])
    assert [[row.id for row in rows] for rows in found] == [[], [HELD, OTHER]]
