from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.event import Event
from projections.pool import Pool
from projections.users.queries import USERS
from tests.domain.orders.samples import CUSTOMER, cancel_pending, confirmed, placed, tea_shipped
from tests.domain.users.samples import registered
from tests.projections.stories import order_id, told
from tests.read_api.conftest import OTHER, Api, owned_by
from tests.specification import AT, Make

ONE = "query ($id: ID!) { order(id: $id) { id version status total { amount currency } customerId } }"
ALL = "{ orders(first: 100) { nodes { id } totalCount totalCountCapped } }"


def an_order(number: int, *story: Make, customer: Any = CUSTOMER) -> list[Event]:
    """An order begun `number` minutes after the others."""
    at = AT + timedelta(minutes=number)
    events = [owned_by(customer, e) for e in told(story or (placed,), order_id(number))]
    return [e.model_copy(update={"timestamp": at}) for e in events]


async def test_an_order_shows_what_was_bought_and_every_change(api: Api) -> None:
    await api.has_seen("orders", an_order(1, placed, confirmed, tea_shipped, cancel_pending))
    data = await api.ask(
        """query ($id: ID!) { order(id: $id) {
            status version updatedAt createdAt placedAt closedAt paymentMethod note
            address { name line1 line2 city country }
            lines { number name unitPrice { amount } total { amount currency } quantity shipped }
            shipments { carrier tracking lines { line quantity } deliveredAt }
            timeline { version event by actor status reason note }
        } }""",
        id=str(order_id(1)),
    )
    order = data["order"]
    assert order["lines"][0] | {"name": ""} == {
        "number": 1,
        "name": "",
        "unitPrice": {"amount": 1000},
        "total": {"amount": 2000, "currency": "EUR"},
        "quantity": 2,
        "shipped": 2,
    }
    assert order["createdAt"] == order["placedAt"] == "2026-01-02T03:05:05+00:00"
    assert (order["paymentMethod"], order["note"]) == ("CREDIT_CARD", "Ring twice")
    assert order["shipments"][0]["carrier"] == "DHL"
    assert order["timeline"][3] == {
        "version": 4,
        "event": "orders.cancellation-requested",
        "by": "SYSTEM",
        "actor": None,
        "status": "CANCEL_PENDING",
        "reason": "CUSTOMER",
        "note": "Too late",
    }


async def test_a_customer_sees_only_their_own(api: Api) -> None:
    await api.has_seen("orders", [*an_order(1), *an_order(2, customer=OTHER)])
    mine, theirs = str(order_id(1)), str(order_id(2))
    assert (await api.ask(ONE, id=mine))["order"]["id"] == mine
    assert (await api.ask(ONE, id=theirs)) == {"order": None}
    assert (await api.refused("query ($id: ID!) { node(id: $id) { id } }", id=theirs))["extensions"][
        "code"
    ] == "NOT_FOUND"
    assert (await api.ask(ALL))["orders"] == {"nodes": [{"id": mine}], "totalCount": 1, "totalCountCapped": False}
    asked = f'{{ orders(first: 1, where: {{customerId: {{eq: "{OTHER}"}}}}) {{ nodes {{ id }} totalCount }} }}'
    assert (await api.ask(asked))["orders"] == {"nodes": [], "totalCount": 0}


@pytest.mark.parametrize("who", ["staff", "service"])
async def test_staff_see_everybodys(api: Api, who: str) -> None:
    await api.has_seen("orders", [*an_order(1), *an_order(2, customer=OTHER)])
    assert (await api.ask(ONE, who, id=str(order_id(2))))["order"]["customerId"] == str(OTHER)
    assert (await api.ask(ALL, who))["orders"]["totalCount"] == 2
    actors = "query ($id: ID!) { order(id: $id) { timeline { actor } } }"
    assert (await api.ask(actors, who, id=str(order_id(1))))["order"]["timeline"] == [{"actor": "anonymous"}]


@pytest.mark.parametrize("id", ["00000000-0000-7000-8000-000000000000", "no id", ""])
async def test_what_does_not_exist_is_null(api: Api, id: str) -> None:
    assert await api.ask(ONE, id=id) == {"order": None}


async def test_a_node_knows_its_type(api: Api) -> None:
    await api.has_seen("orders", an_order(1))
    asked = "query ($id: ID!) { node(id: $id) { __typename id ... on Order { status } } }"
    assert (await api.ask(asked, id=str(order_id(1))))["node"] == {
        "__typename": "Order",
        "id": str(order_id(1)),
        "status": "PLACED",
    }


@pytest.mark.parametrize(
    "where, numbers",
    [
        ("{status: {eq: CONFIRMED}}", [2]),
        ("{status: {in: [PLACED, CONFIRMED]}}", [3, 2, 1]),
        ('{createdAt: {gte: "2026-01-02T03:06:05Z"}}', [3, 2]),
        ('{createdAt: {lte: "2026-01-02T04:06:05+01:00"}}', [2, 1]),
        ('{createdAt: {lte: "2026-01-02T03:06:05Z"}, status: {eq: PLACED}}', [1]),
        ("{}", [3, 2, 1]),
        ("null", [3, 2, 1]),
    ],
)
async def test_orders_are_filtered_newest_first(api: Api, where: str, numbers: list[int]) -> None:
    await api.has_seen("orders", [*an_order(1), *an_order(2, placed, confirmed), *an_order(3)])
    data = await api.ask(f"{{ orders(first: 10, where: {where}) {{ nodes {{ id }} }} }}")
    assert data["orders"]["nodes"] == [{"id": str(order_id(n))} for n in numbers]


@pytest.mark.parametrize(
    "where, message",
    [
        ("{status: null}", "where.status is null"),
        ("{customerId: {eq: null}}", "where.customerId.eq is null"),
        ('{customerId: {eq: "me"}}', "where.customerId.eq is 'me', which is no id"),
        ("{customerId: {in: [%s]}}" % ('"x",' * 101), "has 101 values, at most 100 are allowed"),
        ('{createdAt: {gte: "2026-01-02T03:06:05"}}', "has no time zone"),
    ],
)
async def test_conditions_that_say_nothing_clear_are_refused(api: Api, where: str, message: str) -> None:
    error = await api.refused(f"{{ orders(first: 10, where: {where}) {{ nodes {{ id }} }} }}", "staff")
    assert message in error["message"]
    assert error["extensions"]["code"] == "INVALID_FILTER"


@pytest.mark.usefixtures("executed")
async def test_the_customers_of_a_page_are_loaded_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.has_seen("users", [registered(CUSTOMER, 1), registered(OTHER, 1)])
    await api.has_seen("orders", [e for n in range(6) for e in an_order(n, customer=OTHER if n % 2 else CUSTOMER)])
    asked: list[list[Any]] = []
    many = USERS.many

    async def counted(pool: Pool, ids: Any) -> Any:
        asked.append(sorted(ids))
        return await many(pool, asked[-1])

    monkeypatch.setattr(USERS, "many", counted)
    data = await api.ask("{ orders(first: 6, orderBy: CREATED_AT_ASC) { nodes { customer { id } } } }", "staff")
    assert [node["customer"]["id"] for node in data["orders"]["nodes"]] == [str(CUSTOMER), str(OTHER)] * 3
    assert asked == [sorted([CUSTOMER, OTHER])]
