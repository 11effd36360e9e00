from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.event import Event
from domain.ids import OrderId, payment_of
from tests.domain.orders.samples import placed
from tests.domain.payments.samples import (
    CAPTURED,
    CUSTOMER,
    ORDER,
    action_required,
    created,
    declined,
    opened,
    part_refund_requested,
    part_refunded,
)
from tests.projections.stories import order_id, told
from tests.read_api.conftest import OTHER, Api, owned_by
from tests.specification import Make

STORY = (*CAPTURED, part_refund_requested, part_refunded)
ONE = "query ($id: ID!) { payment(id: $id) { id status captured { amount currency } } }"
ALL = "{ payments(first: 100) { nodes { id } totalCount } }"


def a_payment(number: int, *story: Make, customer: Any = CUSTOMER) -> list[Event]:
    """Of an order, opened `number` minutes after the others."""
    order = OrderId(order_id(number))
    events = [owned_by(customer, event) for event in told(story, payment_of(order))]
    opening = events[0].model_copy(update={"order_id": order})
    return [e.model_copy(update={"timestamp": e.timestamp + timedelta(minutes=number)}) for e in (opening, *events[1:])]


def id_of(number: int) -> str:
    return str(payment_of(OrderId(order_id(number))))


async def test_a_payment_shows_its_sums_attempts_and_ledger(api: Api) -> None:
    await api.has_seen("payments", a_payment(1, *STORY))
    data = await api.ask(
        """query ($id: ID!) { payment(id: $id) {
            version status orderId customerId method unmatched
            due { amount } authorised { amount } captured { amount } refunded { amount } paid { amount currency }
            attempts { status amount { amount } captured { amount } refunded { amount } reference declined }
            ledger { number kind amount { amount } happenedAt }
        } }""",
        id=id_of(1),
    )
    payment = data["payment"]
    assert (payment["version"], payment["status"], payment["method"]) == (7, "PARTIALLY_REFUNDED", "CREDIT_CARD")
    assert (payment["orderId"], payment["customerId"]) == (str(order_id(1)), str(CUSTOMER))
    assert [payment[sum]["amount"] for sum in ("due", "authorised", "captured", "refunded")] == [1000, 1000, 1000, 300]
    assert payment["paid"] == {"amount": 700, "currency": "EUR"}
    assert payment["attempts"] == [
        {
            "status": "PARTIALLY_REFUNDED",
            "amount": {"amount": 1000},
            "captured": {"amount": 1000},
            "refunded": {"amount": 300},
            "reference": None,
            "declined": None,
        }
    ]
    assert [(entry["number"], entry["kind"], entry["amount"]["amount"]) for entry in payment["ledger"]] == [
        (1, "AUTHORISED", 1000),
        (2, "CAPTURED", 1000),
        (3, "REFUNDED", 300),
    ]


async def test_what_the_gateway_says_is_for_staff(api: Api) -> None:
    await api.has_seen("payments", a_payment(1, opened, created, declined))
    asked = "query ($id: ID!) { payment(id: $id) { unmatched attempts { advice declined reference } } }"
    [mine] = (await api.ask(asked, id=id_of(1)))["payment"]["attempts"]
    assert mine == {"advice": "OTHER_METHOD", "declined": None, "reference": None}
    seen = (await api.ask(asked, "staff", id=id_of(1)))["payment"]
    assert seen["unmatched"] == 0
    assert seen["attempts"][0] | {"advice": ""} == {
        "advice": "",
        "declined": "insufficient_funds",
        "reference": "pi_1",
    }


async def test_a_customer_is_told_what_to_do_next(api: Api) -> None:
    await api.has_seen("payments", a_payment(1, opened, created, action_required))
    asked = "query ($id: ID!) { payment(id: $id) { nextAction { kind url } } }"
    assert (await api.ask(asked, id=id_of(1)))["payment"]["nextAction"] == {
        "kind": "REDIRECT",
        "url": "https://bank.example/3ds",
    }


async def test_a_customer_sees_only_their_own(api: Api) -> None:
    await api.has_seen("payments", [*a_payment(1, *STORY), *a_payment(2, *STORY, customer=OTHER)])
    assert (await api.ask(ONE, id=id_of(1)))["payment"]["id"] == id_of(1)
    assert (await api.ask(ONE, id=id_of(2))) == {"payment": None}
    assert (await api.refused("query ($id: ID!) { node(id: $id) { id } }", id=id_of(2)))["extensions"][
        "code"
    ] == "NOT_FOUND"
    assert (await api.ask(ALL))["payments"] == {"nodes": [{"id": id_of(1)}], "totalCount": 1}
    assert (await api.ask(ALL, "staff"))["payments"]["totalCount"] == 2
    assert (await api.refused(ALL, None))["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "where, found",
    [
        ("status: {eq: PARTIALLY_REFUNDED}", [1]),
        ("status: {in: [NONE, CAPTURED]}", [3, 2]),
        (f'orderId: {{eq: "{order_id(2)}"}}', [2]),
        (f'customerId: {{eq: "{CUSTOMER}"}}', [3, 2, 1]),
        ('createdAt: {gte: "2026-01-02T03:06:05Z"}', [3, 2]),
    ],
)
async def test_payments_are_listed_by_status_order_customer_and_time(api: Api, where: str, found: list[int]) -> None:
    await api.has_seen("payments", [*a_payment(1, *STORY), *a_payment(2, *CAPTURED), *a_payment(3, opened)])
    data = await api.ask(f"{{ payments(first: 10, where: {{{where}}}) {{ nodes {{ id }} }} }}", "staff")
    assert [node["id"] for node in data["payments"]["nodes"]] == [id_of(number) for number in found]


async def test_an_order_says_how_far_it_is_paid_as_soon_as_its_payment_is_seen(api: Api) -> None:
    await api.has_seen("orders", [placed(ORDER, 1)])
    asked = "query ($id: ID!) { order(id: $id) { chargeStatus payment { id status } } }"
    assert (await api.ask(asked, id=str(ORDER)))["order"] == {"chargeStatus": "NONE", "payment": None}
    await api.has_seen("payments", told(CAPTURED, payment_of(ORDER)))
    data = await api.ask(asked, "staff", id=str(ORDER))
    assert data["order"] == {
        "chargeStatus": "CAPTURED",
        "payment": {"id": str(payment_of(ORDER)), "status": "CAPTURED"},
    }


async def test_a_payment_shows_every_capture_and_refund(api: Api) -> None:
    await api.has_seen("payments", a_payment(1, *STORY))
    document = """query ($id: ID!) { payment(id: $id) {
        captures { status amount { amount } reference } refunds { status attemptId amount { amount } }
        attempts { id captured { amount } refunded { amount } }
    } }"""
    found = (await api.ask(document, id=id_of(1)))["payment"]
    (attempt,) = found["attempts"]
    assert found["captures"] == [{"status": "SUCCEEDED", "amount": attempt["captured"], "reference": None}]
    assert found["refunds"] == [{"status": "SUCCEEDED", "attemptId": attempt["id"], "amount": attempt["refunded"]}]
