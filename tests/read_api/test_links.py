"""What hangs on a node: pages of many owners are read together, and each is its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.event import Event
from domain.ids import CategoryId, VariantId
from domain.products.events import PriceChanged, ProductDiscontinued, ProductDrafted, VariantRemoved
from tests.domain.orders.samples import CUSTOMER, placed
from tests.domain.products.histories import added, eur, variant
from tests.projections.stories import order_id, told
from tests.read_api.conftest import Api, owned_by
from tests.read_api.town import a_payment, a_product, a_user, an_id, an_order, order_of, tree
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


BOUGHT = """query ($id: ID!) { order(id: $id) { lines { variant {
    sku price { amount } stock { available onHand } product { id }
} } } }"""


@pytest.fixture
async def bought_tea(api: Api) -> Api:
    """An order of a customer's, of the first tea."""
    await api.has_seen("products", a_product(1))
    await api.has_seen("orders", [owned_by(CUSTOMER, event) for event in an_order(1)])
    return api


async def lines(api: Api, who: str = "customer") -> Any:
    return (await api.ask(BOUGHT, who, id=str(order_of(1))))["order"]["lines"]


async def test_a_line_leads_to_its_variant_as_it_is_now(bought_tea: Api) -> None:
    cheaper = a(PriceChanged, variant_id=VariantId(an_id("variant", 1)), old=eur(1000), new=eur(800))
    await bought_tea.has_seen("products", [cheaper(an_id("product", 1), 9)])
    tea = {"sku": "SHIRT-", "price": {"amount": 800}, "product": {"id": str(an_id("product", 1))}}
    assert await lines(bought_tea) == [{"variant": tea | {"stock": {"available": 5, "onHand": None}}}]
    assert await lines(bought_tea, "staff") == [{"variant": tea | {"stock": {"available": 5, "onHand": 5}}}]


async def test_a_line_leads_to_no_variant_that_is_not_sold_any_more(bought_tea: Api) -> None:
    product, other = an_id("product", 1), variant(VariantId(an_id("variant", 2)), "L")
    await bought_tea.has_seen("products", [added(other)(product, 9), removed(product, 10)])
    assert await lines(bought_tea) == await lines(bought_tea, "staff") == [{"variant": None}]
    await bought_tea.has_seen("products", [a(ProductDiscontinued)(product, 11)])
    assert await lines(bought_tea) == [{"variant": None}]


def removed(product: UUID, version: int) -> Event:
    return a(VariantRemoved, variant_id=VariantId(an_id("variant", 1)))(product, version)


async def test_what_leads_round_in_circles_counts_each_time_and_lists_not_again(bought_tea: Api) -> None:
    document = "query ($id: ID!) { order(id: $id) { lines { variant %s } } }"
    costs = []
    for circle in ("{ id }", "{ product { variants { id } } }", "{ product { variants { product { id } } } }"):
        body = (await bought_tea.post(document % circle, "staff", id=str(order_of(1)))).json()
        costs.append(body["extensions"]["cost"]["requested"])
    assert costs[1] > 2 * costs[0]
    assert costs[2] > 1.5 * costs[1]
    again = document % "{ product { variants { product { variants { id } } } } }"
    refusal = await bought_tea.refused(again, "staff", id=str(order_of(1)))
    assert refusal["extensions"]["code"] == "DOCUMENT_TOO_COMPLEX"
    wide = "{ categories { products(first: 100) { nodes { id } } } }"
    assert (await bought_tea.refused(wide, "staff"))["extensions"]["code"] == "QUERY_TOO_COSTLY"


IN_CATEGORY = """query ($id: ID!, $first: Int, $last: Int, $after: String, $before: String, $where: ProductsWhere) {
  category(id: $id) { products(
    first: $first, last: $last, after: $after, before: $before, where: $where, orderBy: NAME_ASC
  ) { totalCount nodes { name } pageInfo { hasNextPage startCursor endCursor } } }
}"""


async def test_a_category_has_pages_of_what_is_sold_of_it(api: Api) -> None:
    within = CategoryId(an_id("category", 1))
    teas = [in_category(within, event) for n in (1, 2, 3) for event in a_product(n)]
    draft = [in_category(within, event) for event in a_product(4)[:2]]
    await api.has_seen("products", [*tree(2), *teas, *draft, *a_product(5)])

    async def page(who: str | None, **asked: Any) -> Any:
        return (await api.ask(IN_CATEGORY, who, id=str(within), **asked))["category"]["products"]

    first = await page(None, first=2)
    assert (named(first), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (["Tea 1", "Tea 2"], 3, True)
    second = await page(None, first=2, after=first["pageInfo"]["endCursor"])
    assert (named(second), second["pageInfo"]["hasNextPage"]) == (["Tea 3"], False)
    assert named(await page(None, last=1, before=second["pageInfo"]["startCursor"])) == ["Tea 2"]
    assert named(await page("staff", first=9)) == ["Tea 1", "Tea 2", "Tea 3", "Tea 4"]
    assert named(await page("staff", first=9, where={"status": {"eq": "DRAFT"}})) == ["Tea 4"]
    assert named(await page(None, first=9, where={"status": {"eq": "DRAFT"}})) == []
    assert named(await page(None, first=9, where={"price": {"currency": "EUR", "gte": 5000}})) == []


def in_category(id: CategoryId, event: Event) -> Event:
    return event.model_copy(update={"category_id": id}) if isinstance(event, ProductDrafted) else event


def named(page: Any) -> list[str]:
    return [node["name"] for node in page["nodes"]]


async def test_a_customer_has_pages_of_their_payments(api: Api) -> None:
    others = [owned_by(an_id("customer", 1), event) for event in a_payment(2)]
    await api.has_seen("users", [*a_user(1), *a_user(3)])
    await api.has_seen("payments", [*a_payment(1), *others, *a_payment(3)])
    document = """query ($where: PaymentsWhere) { users(first: 2, orderBy: CREATED_AT_ASC) { nodes { id payments(
        first: 1, where: $where) { totalCount nodes { id customerId status } pageInfo { hasNextPage } } } } }"""
    found = (await api.ask(document, "staff"))["users"]["nodes"]
    assert {each["id"]: each["payments"]["totalCount"] for each in found} == {
        str(an_id("customer", 1)): 2,
        str(an_id("customer", 3)): 1,
    }
    assert all(node["customerId"] == each["id"] for each in found for node in each["payments"]["nodes"])
    none = (await api.ask(document, "staff", where={"status": {"eq": "REFUNDED"}}))["users"]["nodes"]
    assert [each["payments"]["nodes"] for each in none] == [[], []]


VARIANT = "query ($id: ID, $sku: String) { variant(id: $id, sku: $sku) { id sku stock { available } } }"


@pytest.mark.parametrize("asked", [{"id": str(an_id("variant", 1))}, {"sku": "SHIRT-"}, {"sku": "shirt-"}])
async def test_a_variant_is_found_by_its_id_or_sku(api: Api, asked: Any) -> None:
    await api.has_seen("products", a_product(1))
    tea = {"id": str(an_id("variant", 1)), "sku": "SHIRT-", "stock": {"available": 5}}
    assert (await api.ask(VARIANT, None, **asked))["variant"] == tea


@pytest.mark.parametrize("asked", [{"id": str(an_id("variant", 1))}, {"sku": "SHIRT-"}])
async def test_a_variant_that_is_not_sold_is_for_staff(api: Api, asked: Any) -> None:
    await api.has_seen("products", a_product(1)[:-1])
    assert (await api.ask(VARIANT, None, **asked))["variant"] is None
    assert (await api.ask(VARIANT, "staff", **asked))["variant"]["sku"] == "SHIRT-"


@pytest.mark.parametrize("asked", [{"sku": "nobody's"}, {"sku": "a\x00b"}, {"id": "no id"}, {"id": str(order_of(1))}])
async def test_what_is_no_variant_is_null(api: Api, asked: Any) -> None:
    await api.has_seen("products", a_product(1))
    assert (await api.ask(VARIANT, "staff", **asked))["variant"] is None


@pytest.mark.parametrize("asked", [{}, {"id": None, "sku": None}, {"id": str(order_of(1)), "sku": "SHIRT-"}])
async def test_a_variant_is_asked_for_in_one_way(api: Api, asked: Any) -> None:
    refusal = await api.refused(VARIANT, None, **asked)
    assert (refusal["extensions"]["code"], refusal["extensions"]["path"]) == ("INVALID_VALUE", "variant")


async def test_categories_lead_up_and_down(api: Api) -> None:
    await api.has_seen("products", tree(2))
    document = "query ($id: ID!) { category(id: $id) { parent { name parent { name } } children { name } } }"
    assert (await api.ask(document, None, id=str(an_id("category", 1))))["category"] == {
        "parent": {"name": "All", "parent": None},
        "children": [{"name": "B1"}],
    }
