"""The sample shop as its read models show it: a running Chobo, set up and ordered from over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.orders.order import Status
from infra.cli.installation import reachable
from infra.demo.assortment import Category, categories, customers, products
from projections.listing import Condition, Ordering, Page
from projections.orders.queries import ORDERS
from projections.orders.row import OrderRow
from projections.pool import Pool
from projections.products.queries import facets, find, products_by_sku
from projections.products.search import Prices, Search, Sort
from projections.sales.queries import sales_by_day
from projections.sales.row import DayRow
from projections.users.queries import USERS
from tests.eventually import until
from tests.infra.cli.process import chobo, running

PLACED = 12
NEWEST = Ordering("created_at", descending=True)


@pytest.fixture
async def shop(data: Path) -> AsyncIterator[Pool]:
    """The read database of a shop in which twelve orders were placed, when they have arrived there."""
    with running(data) as up:
        wanted = ("--rate", "50", "--orders", str(PLACED), "--json")
        done = chobo("demo", "--url", up.address, "--data", str(data), *wanted)
        assert (done.returncode, done.stderr) == (0, "")
        conninfo = reachable(data=data).database_of("read")
        assert conninfo is not None
        pool: Pool = AsyncConnectionPool(conninfo, min_size=1, max_size=2, open=False)
        async with pool:

            async def arrived() -> bool:
                """In each model, as each is on its own."""
                people = await USERS.count(pool, [], 100)
                return (people >= len(customers()) and (await facets(pool, Search())).in_stock >= 35) and (
                    len(await placed(pool)) == sum(day.placed for day in await sold(pool)) == PLACED
                )

            await until(arrived)
            yield pool


async def placed(pool: Pool) -> list[OrderRow]:
    """Whatever has become of them since."""
    found = await ORDERS.page(pool, [], NEWEST, Page(100))
    return [row for row in found.rows if row.status is not Status.DRAFT]


async def sold(pool: Pool) -> list[DayRow]:
    today = datetime.now(UTC).date()
    return await sales_by_day(pool, today - timedelta(days=1), today)


async def names(pool: Pool, search: Search, sort: Sort = Sort.RELEVANCE) -> list[str]:
    return [hit.product.name for hit in (await find(pool, search, sort, Page(100))).hits]


async def test_the_sample_shop_is_all_there(shop: Pool) -> None:
    await its_products_are_found(shop)
    await its_customers_are_found(shop)
    await its_sales_add_up(shop)


async def its_products_are_found(shop: Pool) -> None:
    assert sorted(await names(shop, Search())) == sorted(product.name for product in products())
    assert await names(shop, Search("tea bowl")) == ["Tea bowl"]
    assert set(await names(shop, Search("tea"))) == {"Tea bowl", "Tea pot", "Tea towel", "Barley tea, 200 g"}
    kitchen = Category("Kitchen").id
    cheap = Search(category=kitchen, prices=Prices("EUR", lte=1200), in_stock=True)
    assert await names(shop, cheap, Sort.PRICE_ASC) == ["Barley tea, 200 g", "Genmaicha, 100 g", "Tea towel"]
    found = await facets(shop, Search())
    assert (found.total, found.capped) == (40, False)
    assert 35 <= found.in_stock <= 40  # some are few, and may be sold by now
    assert set(found.categories) == {category.id for category in categories()}
    assert found.categories[kitchen] == 20
    sku = next(product.variants[0] for product in products())["sku"]
    [product] = await products_by_sku(shop, [sku])
    assert product is not None
    assert sku.upper() in product.skus


async def its_customers_are_found(shop: Pool) -> None:
    found = await USERS.page(shop, [Condition("words", "words", "hana sa")], NEWEST, Page(10))
    assert [user.display_name for user in found.rows] == ["Hana Sato"]
    assert {UUID(str(customer.id)) for customer in customers()} >= {order.customer_id for order in await placed(shop)}


async def its_sales_add_up(shop: Pool) -> None:
    days, orders = await sold(shop), await placed(shop)
    assert sum(day.placed_amount for day in days) == sum(order.total for order in orders)
    assert sum(day.placed_units for day in days) == sum(line.quantity for order in orders for line in order.lines)
    assert sum(day.confirmed + day.captured for day in days) > 0  # by their sagas
