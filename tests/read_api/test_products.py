"""Products, variants, stock and categories as they are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.event import Event
from domain.ids import CategoryId, ProductId, VariantId, derive
from domain.money import Money
from domain.products import categories, product, stock
from domain.products.events import CategoryCreated, PriceChanged, ProductActivated, ProductDiscontinued, VariantRemoved
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
        products(first: 2, after: $after, orderBy: PRICE_DESC, where: {price: {currency: "EUR", lte: 300}}) {
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


@pytest.mark.parametrize("compiled", [True, False])
async def test_prices_are_compared_within_a_currency(api: Api, compiled: bool, monkeypatch: pytest.MonkeyPatch):
    if not compiled:
        monkeypatch.setattr(api.app, "_compiled", None)
    events: list[Event] = []
    for currency, price in (("EUR", 1000), ("JPY", 900), ("EUR", 500), ("JPY", 1200)):
        name = f"{price} {currency}"
        one = replace(variant(VariantId(derive("test variant", name))), price=Money(amount=price, currency=currency))
        events += product.draft(ProductId(derive("test", name)), Details(name, "", None, {}), (), (), [one], at=AT)
    await api.has_seen("products", events)
    listed = """query ($where: ProductsWhere, $by: ProductsOrderBy!) {
        products(first: 9, where: $where, orderBy: $by) { nodes { name } }
    }"""
    for where, by, there in (
        ({"currency": "EUR"}, "PRICE_ASC", ["500 EUR", "1000 EUR"]),
        ({"currency": "JPY"}, "PRICE_DESC", ["1200 JPY", "900 JPY"]),
        ({"currency": "EUR", "gte": 600, "lte": 1000}, "PRICE_ASC", ["1000 EUR"]),
        ({"currency": "JPY", "lte": 900}, "PRICE_ASC", ["900 JPY"]),
        ({"currency": "SEK"}, "PRICE_ASC", []),
    ):
        data = await api.ask(listed, "staff", where={"price": where}, by=by)
        assert [node["name"] for node in data["products"]["nodes"]] == there
    for bad, path in (
        (None, "price"),
        ({"currency": "EUR", "lte": None}, "price.lte"),
        ({"currency": "eur"}, "price.currency"),
    ):
        refusal = await api.refused(listed, "staff", where={"price": bad}, by="PRICE_ASC")
        assert (refusal["extensions"]["code"], refusal["extensions"]["path"]) == ("INVALID_FILTER", path)


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


SOLD_NO_MORE = """query ($id: ID!, $asOf: AsOf!) {
    product(id: $id, asOf: $asOf) { status variants { priceHistory { price { amount } } } }
}"""
REPRICED: tuple[Make, ...] = (
    a(PriceChanged, AT + timedelta(days=1), variant_id=SMALL, old=eur(1000), new=eur(800)),
    a(PriceChanged, AT + timedelta(days=2), variant_id=SMALL, old=eur(800), new=eur(700)),
    a(ProductActivated, AT + timedelta(days=3)),
    a(PriceChanged, AT + timedelta(days=4), variant_id=SMALL, old=eur(700), new=eur(900)),
    a(ProductDiscontinued, AT + timedelta(days=5)),
)
"""Versions 4 to 8 of the shirt: sold from 6 to 8."""


@pytest.mark.parametrize("who", [None, "customer"])
async def test_what_is_sold_no_more_is_not_shown_as_it_was_either(api: Api, who: str | None):
    await api.has_seen("products", shirts(*REPRICED))
    for as_of in ({"version": 6}, {"at": "2026-06-01T00:00:00Z"}):
        assert (await api.ask(SOLD_NO_MORE, who, id=str(SHIRT), asOf=as_of))["product"] is None
    assert (await api.ask(SOLD_NO_MORE, "staff", id=str(SHIRT), asOf={"version": 6}))["product"]["status"] == "ACTIVE"


async def test_what_is_sold_is_shown_as_it_was_since_it_was_first_sold(api: Api):
    again = a(ProductActivated, AT + timedelta(days=6))
    await api.has_seen("products", shirts(*REPRICED, again))
    seen = [await api.ask(SOLD_NO_MORE, None, id=str(SHIRT), asOf={"version": v}) for v in range(1, 10)]
    statuses = [each["product"] and each["product"]["status"] for each in seen]
    assert statuses == [None, None, None, None, None, "ACTIVE", "ACTIVE", None, "ACTIVE"]
    assert amounts(seen[5]["product"]) == [[700], [1200]]
    assert amounts(seen[8]["product"]) == [[700, 900], [1200]]


async def test_customers_know_prices_since_the_product_was_first_sold(api: Api):
    await api.has_seen("products", shirts(*REPRICED[:-1]))
    for who, small, before in ((None, [700, 900], None), ("staff", [1000, 800, 700, 900], 800)):
        product = (await api.ask(HISTORY, who, id=str(SHIRT), at=(AT + timedelta(days=1)).isoformat()))["product"]
        first, other = product["variants"]
        assert [since["price"]["amount"] for since in first["priceHistory"]] == small
        assert (first["priceAt"] and first["priceAt"]["amount"]) == before
        assert len(other["priceHistory"]) == 1
    then = (await api.ask(HISTORY, None, id=str(SHIRT), at=(AT + timedelta(days=3)).isoformat()))["product"]
    assert then["variants"][0]["priceAt"]["amount"] == 700
    assert then["variants"][0]["priceHistory"][0]["at"] == (AT + timedelta(days=3)).isoformat()


def amounts(product: Any) -> list[list[int]]:
    return [[since["price"]["amount"] for since in v["priceHistory"]] for v in product["variants"]]
