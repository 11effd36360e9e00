"""Products, variants, stock and categories as they are asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.event import Event
from domain.ids import CategoryId, ProductId, VariantId, derive
from domain.products import categories, product, stock
from domain.products.events import CategoryCreated, PriceChanged, ProductActivated, VariantRemoved
from domain.products.product import Details
from tests.domain.products.histories import LARGE, SHIRT, SMALL, eur, variant
from tests.read_api.conftest import Api
from tests.specification import AT, Make, a

TOYS, DOLLS = CategoryId(derive("test", "toys")), CategoryId(derive("test", "dolls"))
LATER = AT + timedelta(days=1)


def tree() -> list[Event]:
    return [
        a(CategoryCreated, category_id=TOYS, name="Toys", parent_id=None)(categories.TREE, 1),
        a(CategoryCreated, category_id=DOLLS, name="Dolls", parent_id=TOYS)(categories.TREE, 2),
    ]


def shirts(*more: Make) -> list[Event]:
    """A draft of two sizes, of which five small ones are there, and what happened to it since."""
    details = Details("Shirt", "Soft.", DOLLS, {"material": "cotton"})
    drafted = product.draft(SHIRT, details, (), ("size",), [variant(SMALL, "S"), variant(LARGE, "L", 1200)], at=AT)
    opened = stock.open_stock(SMALL, SHIRT, at=AT)
    received = stock.receive(stock.evolve(None, opened), 5, at=AT)
    return [*drafted, opened, *received, *(make(SHIRT, version) for version, make in enumerate(more, 4))]


async def test_a_product_is_read_with_its_variants_stock_and_category(api: Api):
    await api.has_seen("products", [*tree(), *shirts()])
    data = await api.ask(
        """
        query ($id: ID!) { product(id: $id) {
            name version status minPrice { amount currency } maxPrice { amount } attributes { name value }
            category { name parentId path { name } }
            variants { sku values { name value } price { amount } stock { status available onHand reserved } }
        } }
        """,
        "staff",
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
async def test_a_price_is_known_at_any_time(api: Api, at: Any, price: int | None):
    changed = a(PriceChanged, at=LATER, variant_id=SMALL, old=eur(1000), new=eur(900))
    await api.has_seen("products", shirts(changed, a(VariantRemoved, variant_id=LARGE)))
    data = await api.ask(HISTORY, "staff", id=str(SHIRT), at=at.isoformat())
    [small] = data["product"]["variants"]
    assert small["price"]["amount"] == 900
    assert [since["price"]["amount"] for since in small["priceHistory"]] == [1000, 900]
    assert (small["priceAt"] and small["priceAt"]["amount"]) == price


async def test_a_time_without_zone_is_refused(api: Api):
    await api.has_seen("products", shirts(a(VariantRemoved, variant_id=LARGE)))
    refusal = await api.refused(HISTORY, "staff", id=str(SHIRT), at="2026-01-01T00:00:00")
    assert (refusal["extensions"]["code"], refusal["extensions"]["path"]) == ("INVALID_VALUE", "priceAt.at")


SEEN = "query ($id: ID!) { product(id: $id) { id } node(id: $id) { id } products(first: 5) { nodes { id } } }"
SHOWN = {"product": {"id": str(SHIRT)}, "node": {"id": str(SHIRT)}, "products": {"nodes": [{"id": str(SHIRT)}]}}


async def test_staff_sees_what_is_not_sold(api: Api):
    await api.has_seen("products", shirts())
    unseen: dict[str, Any] = {"product": None, "node": None, "products": {"nodes": []}}
    assert await api.ask(SEEN, "staff", id=str(SHIRT)) == SHOWN
    answer = (await api.post(SEEN, None, id=str(SHIRT))).json()
    assert (answer["data"], answer["errors"][0]["path"]) == (unseen, ["node"])


async def test_everybody_sees_what_is_sold(api: Api):
    await api.has_seen("products", shirts(a(ProductActivated)))
    assert await api.ask(SEEN, None, id=str(SHIRT)) == SHOWN


async def test_a_customer_cannot_ask_for_drafts_by_a_condition(api: Api):
    await api.has_seen("products", shirts())
    drafts = "{ products(first: 5, where: {status: {eq: DRAFT}}) { nodes { id } } }"
    assert (await api.ask(drafts, None))["products"]["nodes"] == []


async def test_what_is_on_hand_is_for_staff(api: Api):
    await api.has_seen("products", shirts(a(ProductActivated)))
    document = "query ($id: ID!) { node(id: $id) { ... on Variant { stock { available onHand reserved threshold } } } }"
    seen = (await api.ask(document, None, id=str(SMALL)))["node"]["stock"]
    assert seen == {"available": 5, "onHand": None, "reserved": None, "threshold": None}


async def test_products_are_listed_by_price_within_bounds(api: Api):
    events: list[Event] = []
    for price in (300, 100, 200, 400):
        one = variant(VariantId(derive("test variant", str(price))), price=price)
        id, details = ProductId(derive("test", str(price))), Details(f"P{price}", "", None, {})
        events += product.draft(id, details, (), (), [one], at=AT)
    await api.has_seen("products", events)
    page = """
    query ($after: String) {
        products(first: 2, after: $after, orderBy: PRICE_DESC, where: {minPrice: {lte: 300}}) {
            totalCount nodes { name } pageInfo { hasNextPage endCursor }
        }
    }
    """
    first = (await api.ask(page, "staff"))["products"]
    second = (await api.ask(page, "staff", after=first["pageInfo"]["endCursor"]))["products"]
    assert [node["name"] for node in first["nodes"] + second["nodes"]] == ["P300", "P200", "P100"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (
        3,
        True,
        False,
    )


async def test_the_tree_is_read_as_a_whole(api: Api):
    await api.has_seen("products", tree())
    data = await api.ask("{ categories { name parentId } }", None)
    assert data["categories"] == [{"name": "Dolls", "parentId": str(TOYS)}, {"name": "Toys", "parentId": None}]
    document = "query ($id: ID!) { category(id: $id) { path { name } children { name } } }"
    dolls = {"path": [{"name": "Toys"}, {"name": "Dolls"}], "children": []}
    assert (await api.ask(document, None, id=str(DOLLS)))["category"] == dolls
    toys = {"path": [{"name": "Toys"}], "children": [{"name": "Dolls"}]}
    assert (await api.ask(document, None, id=str(TOYS)))["category"] == toys
    assert (await api.ask(document, None, id=str(SHIRT)))["category"] is None
