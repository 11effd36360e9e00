"""Sagas as they are asked for in the graph."""

from __future__ import annotations

import pytest

from domain.actor import Actor, Role
from domain.ids import checkout_of, payment_of
from tests.read_api.conftest import ACTORS, Api
from tests.read_api.town import a_mail, a_payment, a_product, a_saga, an_id, an_order, order_of

ORDER = order_of(1)
SAGA = checkout_of(payment_of(ORDER))
ONE = """query ($id: ID!) { saga(id: $id) {
    process status course outcome orderId step stepNumber stepCount attempt waitsFor nextAttemptAt code slow
    explanation { sentence waitsFor nextStep }
    steps { name state pivot attempts deadlineAt }
    balance { money { amount } goods reserved committed released }
    usualAge { p95 } order { id } payment { id captured { amount } }
} }"""


@pytest.fixture
async def working(api: Api) -> Api:
    """An order whose checkout has asked for the goods."""
    await api.has_seen("products", a_product(1))
    await api.has_seen("orders", an_order(1))
    await api.has_seen("payments", a_payment(1))
    await api.has_seen("notifications", a_mail(1))
    await api.has_seen("sagas", a_saga(1))
    return api


async def test_a_saga_says_where_it_stands_and_why(working: Api) -> None:
    saga = (await working.ask(ONE, "staff", id=str(SAGA)))["saga"]
    assert saga["process"] == "checkout"
    assert (saga["status"], saga["course"], saga["waitsFor"], saga["outcome"]) == ("RUNNING", "FORWARD", "REPLY", None)
    assert saga["explanation"]["waitsFor"] == "the answer to its command"
    assert saga["step"] in saga["explanation"]["sentence"]
    first, second, *_ = saga["steps"]
    assert (first["name"], first["state"], first["attempts"]) == (saga["step"], "CURRENT", 1)
    assert (second["name"], second["state"], second["attempts"]) == (saga["explanation"]["nextStep"], "TO_COME", 0)
    assert [step["pivot"] for step in saga["steps"]].count(True) == 1
    assert saga["balance"] == {"money": None, "goods": 0, "reserved": 0, "committed": 0, "released": 0}
    assert saga["usualAge"] is None
    assert saga["slow"] is False


async def test_a_saga_leads_to_its_order_and_payment_and_back(working: Api) -> None:
    saga = (await working.ask(ONE, "staff", id=str(SAGA)))["saga"]
    assert (saga["orderId"], saga["order"]["id"], saga["payment"]["id"]) == (
        str(ORDER),
        str(ORDER),
        str(payment_of(ORDER)),
    )
    back = "query ($id: ID!) { order(id: $id) { saga { id } sagas { id } notifications { trigger } } }"
    assert (await working.ask(back, "staff", id=str(ORDER)))["order"] == {
        "saga": {"id": str(SAGA)},
        "sagas": [{"id": str(SAGA)}],
        "notifications": [{"trigger": "order-shipped"}],
    }


async def test_sagas_are_found_by_what_they_wait_for(working: Api) -> None:
    document = """query ($where: SagasWhere) { sagas(first: 5, where: $where) { nodes { id } totalCount } }"""
    there = {"nodes": [{"id": str(SAGA)}], "totalCount": 1}
    for where in (
        {"waitsFor": {"eq": "REPLY"}},
        {"process": {"eq": "checkout"}},
        {"status": {"in": ["RUNNING"]}},
        {"orderId": {"eq": str(ORDER)}},
    ):
        assert (await working.ask(document, "staff", where=where))["sagas"] == there
    assert (await working.ask(document, "staff", where={"waitsFor": {"eq": "OPERATOR"}}))["sagas"]["totalCount"] == 0


async def test_a_node_may_be_a_saga(working: Api) -> None:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    ids = [str(SAGA), str(ORDER)]
    assert (await working.ask(document, "staff", ids=ids))["nodes"] == [
        {"__typename": "Saga", "id": str(SAGA)},
        {"__typename": "Order", "id": str(ORDER)},
    ]


async def test_too_many_nodes_are_refused(working: Api) -> None:
    refusal = await working.refused("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", "staff", ids=["1"] * 101)
    assert (refusal["extensions"]["code"], refusal["extensions"]["path"]) == ("INVALID_VALUE", "nodes.ids")


async def test_sagas_are_for_those_who_work_here(working: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await working.refused("{ sagas(first: 1) { nodes { id } } }"))["extensions"]["code"] == "FORBIDDEN"
    assert (await working.refused(ONE, id=str(SAGA)))["extensions"]["code"] == "FORBIDDEN"
    seen = "query ($id: ID!, $saga: ID!) { order(id: $id) { saga { id } sagas { id } } node(id: $saga) { id } }"
    monkeypatch.setitem(ACTORS, "owner", Actor(an_id("customer", 1), frozenset({Role.CUSTOMER})))
    own = (await working.post(seen, "owner", id=str(ORDER), saga=str(SAGA))).json()
    assert own["data"] == {"order": {"saga": None, "sagas": []}, "node": None}
    assert own["errors"][0]["path"] == ["node"]
