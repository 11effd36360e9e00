"""Products, variants, stock and categories as they are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.actor import ANONYMOUS, Actor, Role
from domain.event import Event
from domain.ids import CategoryId, ProductId, VariantId, derive
from domain.products import categories, product, stock
from domain.products.events import CategoryCreated, PriceChanged, ProductActivated, VariantRemoved
from domain.products.product import Details
from projections.consumer import Consumer
from projections.products.projector import PRODUCTS
from projections.schema import prepare
from read_api.context import Context
from read_api.cursor import Cursors
from read_api.schema import make_schema
from tests.domain.products.histories import SHIRT, SMALL, eur, variant
from tests.projections.fakes import FakeFeed
from tests.specification import AT, a

STAFF = Actor(UUID(int=1), frozenset({Role.STAFF}))
TOYS, DOLLS = CategoryId(derive("test", "toys")), CategoryId(derive("test", "dolls"))
LATER = AT + timedelta(days=1)
SCHEMA = make_schema()


class Catalogue:
    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self.pool = pool
        self.feed = FakeFeed("products")
        self.consumer = Consumer(PRODUCTS, self.feed, pool)

    async def happened(self, *events: Event) -> None:
        self.feed.append(*events)
        await self.consumer.step(await self.consumer.open())

    async def ask(self, document: str, actor: Actor = STAFF, **variables: Any) -> Any:
        context = Context(actor, self.pool, Cursors("secret"))
        result = await SCHEMA.execute(document, variables, context_value=context)
        assert result.errors is None, result.errors
        return result.data

    async def shirts(self, **changes: Any) -> None:
        """A draft of two sizes, of which five small ones are there."""
        details = Details("Shirt", "Soft.", DOLLS, {"material": "cotton"})
        variants = [variant(SMALL, "S"), variant(LARGE, "L", price=1200)]
        await self.happened(
            *product.draft(SHIRT, details, (), ("size",), variants, at=AT),
            opened := stock.open_stock(SMALL, SHIRT, at=AT),
            *stock.receive(stock.evolve(None, opened), 5, at=AT),
        )

    async def tree(self) -> None:
        await self.happened(
            a(CategoryCreated, category_id=TOYS, name="Toys", parent_id=None)(categories.TREE, 1),
            a(CategoryCreated, category_id=DOLLS, name="Dolls", parent_id=TOYS)(categories.TREE, 2),
        )


LARGE = VariantId(derive("test", "large"))


@pytest.fixture
async def catalogue(database: str) -> AsyncIterator[Catalogue]:
    await prepare(database, [PRODUCTS])
    async with AsyncConnectionPool(database, min_size=1, open=False) as pool:
        await pool.wait()
        yield Catalogue(pool)


async def test_a_product_is_read_with_its_variants_stock_and_category(catalogue: Catalogue):
    await catalogue.tree()
    await catalogue.shirts()
    data = await catalogue.ask(
        """
        query ($id: ID!) { product(id: $id) {
            name version status minPrice { amount currency } maxPrice { amount } attributes { name value }
            category { name parentId path { name } }
            variants { sku values { name value } price { amount } stock { status available onHand reserved } }
        } }
        """,
        id=str(SHIRT),
    )
    small = {"status": "IN_STOCK", "available": 5, "onHand": 5, "reserved": 0}
    assert data["product"] == {
        "name": "Shirt",
        "version": 3,
        "status": "DRAFT",
        "minPrice": {"amount": 1000, "currency": "EUR"},
        "maxPrice": {"amount": 1200},
        "attributes": [{"name": "material", "value": "cotton"}],
        "category": {"name": "Dolls", "parentId": str(TOYS), "path": [{"name": "Toys"}, {"name": "Dolls"}]},
        "variants": [
            {"sku": "SHIRT-S", "values": [{"name": "size", "value": "S"}], "price": {"amount": 1000}, "stock": small},
            {"sku": "SHIRT-L", "values": [{"name": "size", "value": "L"}], "price": {"amount": 1200}, "stock": None},
        ],
    }


HISTORY = """
query ($id: ID!, $at: DateTime!) { product(id: $id) { variants {
    price { amount } priceHistory { at price { amount } } priceAt(at: $at) { amount }
} } }
"""


@pytest.mark.parametrize(
    "at, price", [(AT - timedelta(seconds=1), None), (AT, 1000), (LATER - timedelta(seconds=1), 1000), (LATER, 900)]
)
async def test_a_price_is_known_at_any_time(catalogue: Catalogue, at: Any, price: int | None):
    await catalogue.shirts()
    changed = a(PriceChanged, at=LATER, variant_id=SMALL, old=eur(1000), new=eur(900))(SHIRT, 4)
    await catalogue.happened(changed, a(VariantRemoved, variant_id=LARGE)(SHIRT, 5))
    data = await catalogue.ask(HISTORY, id=str(SHIRT), at=at.isoformat())
    [small] = data["product"]["variants"]
    assert small["price"]["amount"] == 900
    assert [since["price"]["amount"] for since in small["priceHistory"]] == [1000, 900]
    assert (small["priceAt"] and small["priceAt"]["amount"]) == price


async def test_a_time_without_zone_is_refused(catalogue: Catalogue):
    await catalogue.shirts()
    with pytest.raises(AssertionError, match="time zone"):
        await catalogue.ask(HISTORY, id=str(SHIRT), at="2026-01-01T00:00:00")


SEEN = "query ($id: ID!) { product(id: $id) { id } node(id: $id) { id } products(first: 5) { nodes { id } } }"


async def test_customers_see_what_is_sold_and_staff_sees_all(catalogue: Catalogue):
    await catalogue.shirts()
    unseen = {"product": None, "node": None, "products": {"nodes": []}}
    seen = {"product": {"id": str(SHIRT)}, "node": {"id": str(SHIRT)}, "products": {"nodes": [{"id": str(SHIRT)}]}}
    assert await catalogue.ask(SEEN, STAFF, id=str(SHIRT)) == seen
    assert await catalogue.ask(SEEN, ANONYMOUS, id=str(SHIRT)) == unseen
    await catalogue.happened(a(ProductActivated)(SHIRT, 4))
    assert await catalogue.ask(SEEN, ANONYMOUS, id=str(SHIRT)) == seen


async def test_a_customer_cannot_ask_for_drafts_by_a_condition(catalogue: Catalogue):
    await catalogue.shirts()
    drafts = "{ products(first: 5, where: {status: {eq: DRAFT}}) { nodes { id } } }"
    assert (await catalogue.ask(drafts, ANONYMOUS))["products"]["nodes"] == []


async def test_what_is_on_hand_is_for_staff(catalogue: Catalogue):
    await catalogue.shirts()
    await catalogue.happened(a(ProductActivated)(SHIRT, 4))
    document = "query ($id: ID!) { node(id: $id) { ... on Variant { stock { available onHand reserved threshold } } } }"
    seen = (await catalogue.ask(document, ANONYMOUS, id=str(SMALL)))["node"]["stock"]
    assert seen == {"available": 5, "onHand": None, "reserved": None, "threshold": None}


async def test_products_are_listed_by_price_within_bounds(catalogue: Catalogue):
    for n, price in enumerate([300, 100, 200, 400]):
        id = ProductId(derive("test", f"product {n}"))
        one = variant(VariantId(derive("test", f"variant {n}")), price=price)
        await catalogue.happened(*product.draft(id, Details(f"P{price}", "", None, {}), (), (), [one], at=AT))
    page = """
    query ($after: String) {
        products(first: 2, after: $after, orderBy: PRICE_DESC, where: {minPrice: {lte: 300}}) {
            totalCount nodes { name } pageInfo { hasNextPage endCursor }
        }
    }
    """
    first = (await catalogue.ask(page))["products"]
    second = (await catalogue.ask(page, after=first["pageInfo"]["endCursor"]))["products"]
    assert [node["name"] for node in first["nodes"] + second["nodes"]] == ["P300", "P200", "P100"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (
        3,
        True,
        False,
    )


async def test_the_tree_is_read_as_a_whole(catalogue: Catalogue):
    await catalogue.tree()
    data = await catalogue.ask("{ categories { name path { name } } }", ANONYMOUS)
    assert data["categories"] == [
        {"name": "Dolls", "path": [{"name": "Toys"}, {"name": "Dolls"}]},
        {"name": "Toys", "path": [{"name": "Toys"}]},
    ]
    document = "query ($id: ID!) { category(id: $id) { name } }"
    assert (await catalogue.ask(document, ANONYMOUS, id=str(DOLLS)))["category"] == {"name": "Dolls"}
    assert (await catalogue.ask(document, ANONYMOUS, id=str(SHIRT)))["category"] is None
