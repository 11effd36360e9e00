"""What hangs on a node: pages of many owners are read together, and each is its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.event import Event
from domain.products.events import ProductDiscontinued
from tests.domain.orders.samples import CUSTOMER, placed
from tests.projections.stories import order_id, told
from tests.read_api.conftest import Api, owned_by
from tests.read_api.town import a_product, a_user, an_id, an_order, order_of, tree
from tests.specification import AT, a

ORDERS = """query ($first: Int, $last: Int, $after: String, $before: String) {
  users(first: 2, orderBy: CREATED_AT_ASC) {
    nodes { id orders(first: $first, last: $last, after: $after, before: $before) {
        totalCount totalCountCapped nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }
} }"""


def bought(customer: int, *numbers: int) -> list[Event]:
    """Orders of a customer, a minute after each other."""
    return [
        owned_by(an_id("customer", customer), event).model_copy(update={"timestamp": AT + timedelta(minutes=n)})
        for n in numbers
        for event in told((placed,), order_id(n))
    ]


def ids(*numbers: int) -> list[dict[str, str]]:
    return [{"id": str(order_id(n))} for n in numbers]


@pytest.fixture
async def shop(api: Api) -> Api:
    """Two customers, of five orders and of one."""
    second = [event.model_copy(update={"timestamp": AT + timedelta(minutes=1)}) for event in a_user(2)]
    await api.has_seen("users", [*a_user(1), *second])
    await api.has_seen("orders", [*bought(1, 1, 2, 3, 4, 5), *bought(2, 6)])
    return api


async def pages(shop: Api, **paging: Any) -> list[Any]:
    data = await shop.ask(ORDERS, "staff", **paging)
    return [node["orders"] for node in data["users"]["nodes"]]


async def test_each_customer_has_a_page_of_their_own(shop: Api) -> None:
    many, one = await pages(shop, first=2)
    assert (many["nodes"], many["totalCount"], many["pageInfo"]["hasNextPage"]) == (ids(5, 4), 5, True)
    assert (one["nodes"], one["totalCount"], one["pageInfo"]["hasNextPage"]) == (ids(6), 1, False)


async def test_a_page_goes_on_where_the_last_one_ended(shop: Api) -> None:
    many, _ = await pages(shop, first=2)
    second, _ = await pages(shop, first=2, after=many["pageInfo"]["endCursor"])
    assert second["nodes"] == ids(3, 2)
    back, _ = await pages(shop, last=1, before=second["pageInfo"]["startCursor"])
    assert back["nodes"] == ids(4)


async def test_conditions_hold_for_each_customer(shop: Api) -> None:
    document = """{ me { id } users(first: 2, orderBy: CREATED_AT_ASC) { nodes {
        orders(first: 5, where: {status: {eq: DELIVERED}}) { totalCount nodes { id } }
    } } }"""
    data = await shop.ask(document, "staff")
    assert [node["orders"] for node in data["users"]["nodes"]] == [{"totalCount": 0, "nodes": []}] * 2


LINE = "query ($id: ID!) { order(id: $id) { lines { product { name variants { product { id } } } } } }"


async def test_a_line_leads_to_its_product_as_it_is_now(api: Api) -> None:
    product = a_product(1)
    await api.has_seen("products", product)
    await api.has_seen("orders", an_order(1))
    (line,) = (await api.ask(LINE, "staff", id=str(order_of(1))))["order"]["lines"]
    assert line["product"] == {"name": "Tea 1", "variants": [{"product": {"id": str(an_id("product", 1))}}]}


async def test_what_is_not_sold_any_more_is_for_staff(api: Api) -> None:
    product = a_product(1)
    gone = a(ProductDiscontinued)(an_id("product", 1), product[-1].originator_version + 1)
    await api.has_seen("products", [*product, gone])
    owner = an_order(1)
    mine = [
        event.model_copy(update={"customer_id": placed_by}) for event, placed_by in zip(owner, [CUSTOMER], strict=False)
    ]
    await api.has_seen("orders", mine)
    assert (await api.ask(LINE, id=str(order_of(1))))["order"] == {"lines": [{"product": None}]}
    (line,) = (await api.ask(LINE, "staff", id=str(order_of(1))))["order"]["lines"]
    assert line["product"]["name"] == "Tea 1"


async def test_categories_lead_up_and_down(api: Api) -> None:
    await api.has_seen("products", tree(2))
    document = "query ($id: ID!) { category(id: $id) { parent { name parent { name } } children { name } } }"
    assert (await api.ask(document, None, id=str(an_id("category", 1))))["category"] == {
        "parent": {"name": "All", "parent": None},
        "children": [{"name": "B1"}],
    }
