"""Looking for products in the graph."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import VariantId
from domain.products.events import StockAdjusted
from domain.products.value import AdjustReason
from tests.read_api.conftest import Api
from tests.read_api.town import TOP, a_product, an_id, each, tree
from tests.specification import a

FIND = """query ($text: String!, $where: ProductSearchWhere, $first: Int, $after: String, $by: ProductSearchOrderBy!) {
  searchProducts(text: $text, where: $where, first: $first, after: $after, orderBy: $by) {
    totalCount totalCountCapped nodes { name } pageInfo { hasNextPage endCursor }
    facets {
      inStock categories { category { name } count } attributes { name values { value count } }
      prices { currency gte below count }
    }
  }
}"""


@pytest.fixture
async def shop(api: Api) -> Api:
    await api.has_seen("products", [*tree(3), *each(a_product, (1, 2, 3))])
    return api


async def found(shop: Api, text: str = "", by: str = "RELEVANCE", first: int = 10, **more: Any) -> Any:
    return (await shop.ask(FIND, None, text=text, by=by, first=first, **more))["searchProducts"]


def names(page: Any) -> list[str]:
    return [node["name"] for node in page["nodes"]]


async def test_products_are_found_by_words_and_counted(shop: Api) -> None:
    page = await found(shop, "gre tea")
    assert sorted(names(page)) == ["Tea 1", "Tea 2", "Tea 3"]
    assert (page["totalCount"], page["totalCountCapped"], page["facets"]["inStock"]) == (3, False, 3)
    assert page["facets"]["categories"][0] == {"category": {"name": "All"}, "count": 3}
    assert page["facets"]["attributes"] == [{"name": "leaf", "values": [{"value": "whole", "count": 3}]}]
    assert page["facets"]["prices"] == [{"currency": "EUR", "gte": 1000, "below": 2000, "count": 3}]


async def test_pages_go_on_in_the_same_order_only(shop: Api) -> None:
    first = await found(shop, by="NAME_ASC", first=2)
    assert names(first) == ["Tea 1", "Tea 2"]
    cursor = first["pageInfo"]["endCursor"]
    assert names(await found(shop, by="NAME_ASC", first=2, after=cursor)) == ["Tea 3"]
    refusal = await shop.refused(FIND, None, text="", by="NEWEST", first=2, after=cursor)
    assert refusal["extensions"]["code"] == "INVALID_CURSOR"


@pytest.mark.parametrize(
    "where, there",
    [
        ({"categoryId": str(an_id("category", 2))}, ["Tea 2"]),
        ({"categoryId": str(TOP)}, ["Tea 1", "Tea 2", "Tea 3"]),
        ({"price": {"currency": "EUR", "lte": 999}}, []),
        ({"price": {"currency": "EUR", "gte": 1}}, ["Tea 1", "Tea 2", "Tea 3"]),
        ({"attributes": [{"name": "leaf", "in": ["broken"]}]}, []),
        ({"inStock": True}, ["Tea 1", "Tea 2", "Tea 3"]),
        ({"inStock": False}, []),
        ({"attributes": []}, ["Tea 1", "Tea 2", "Tea 3"]),
    ],
)
async def test_what_is_found_can_be_narrowed_down(shop: Api, where: Any, there: list[str]) -> None:
    assert names(await found(shop, by="NAME_ASC", where=where)) == there


@pytest.mark.parametrize(
    "text, where, code",
    [
        ("x" * 201, None, "INVALID_VALUE"),
        ("", {"categoryId": "toys"}, "INVALID_FILTER"),
        ("", {"attributes": [{"name": "leaf", "in": ["x"] * 51}]}, "INVALID_VALUE"),
        ("", {"attributes": [{"name": "leaf", "in": ["x"]}, {"name": "leaf", "in": ["whole"]}]}, "INVALID_VALUE"),
        ("", {"price": {"currency": "EURO"}}, "INVALID_FILTER"),
    ],
)
async def test_what_asks_for_too_much_is_refused(shop: Api, text: str, where: Any, code: str) -> None:
    refusal = await shop.refused(FIND, None, text=text, where=where, by="NEWEST", first=2)
    assert refusal["extensions"]["code"] == code


@pytest.mark.parametrize(
    "where, path",
    [
        ({"categoryId": None}, "categoryId"),
        ({"categoryId": ""}, "categoryId"),
        ({"price": None}, "price"),
        ({"price": {"currency": "EUR", "gte": None}}, "price.gte"),
        ({"price": {"currency": "EUR", "lte": None}}, "price.lte"),
        ({"inStock": None}, "inStock"),
        ({"attributes": None}, "attributes"),
    ],
)
async def test_a_forgotten_variable_makes_no_condition_into_none(shop: Api, where: Any, path: str) -> None:
    refusal = await shop.refused(FIND, None, text="", where=where, by="NEWEST", first=2)
    assert (refusal["extensions"]["code"], refusal["extensions"]["path"]) == ("INVALID_FILTER", path)


async def test_what_cannot_be_had_is_found_if_that_is_asked_for(shop: Api) -> None:
    tea = VariantId(an_id("variant", 2))
    await shop.has_seen("products", [a(StockAdjusted, change=-5, reason=AdjustReason.LOST)(tea, 9)])
    assert names(await found(shop, where={"inStock": False})) == ["Tea 2"]
    assert names(await found(shop, by="NAME_ASC", where={"inStock": True})) == ["Tea 1", "Tea 3"]
