"""An order's life over HTTP: who may do what with it, and what is answered."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.ids import (
    OrderId,
    ReturnId,
    SagaId,
    cancellation_of,
    checkout_of,
    new_id,
    payment_of,
    refund_of,
    return_of,
)
from domain.orders.events import CancelReason
from tests.commands.orders.shop import ANN, STAFF, Shop


async def do(shop: Shop, id: str, verb: str, by: str, **body: object) -> tuple[int, str]:
    """HTTP status and the order's, or the code of the refusal."""
    answer = await shop.post(f"/v1/orders/{id}/{verb}", body, by=by, key=f"{verb} {body}")
    return answer.status_code, answer.json().get("code") or answer.json()["status"]


async def test_from_placed_to_returned(shop: Shop) -> None:
    id = await shop.placed()
    assert await do(shop, id, "confirm", "operator") == (200, "CONFIRMED")
    assert await do(shop, id, "ship", "staff", carrier="DHL", lines=[{"line": 1, "quantity": 1}]) == (
        200,
        "PARTIALLY_SHIPPED",
    )
    assert await do(shop, id, "cancel", "ann") == (409, "ALREADY_SHIPPED")
    assert await do(shop, id, "ship", "staff", carrier="DHL", tracking="0034") == (200, "SHIPPED")
    assert await do(shop, id, "deliver", "staff") == (200, "DELIVERED")
    assert await do(shop, id, "return", "ann", lines=[{"line": 2, "quantity": 1}]) == (202, "DELIVERED")
    assert await do(shop, id, "return", "staff", note="The rest too") == (202, "RETURNED")
    order = await shop.order(id)
    assert sum(each.refund.amount for each in order.returns) == order.total.amount


async def test_more_than_was_ordered_is_not_shipped(shop: Shop) -> None:
    id = await shop.placed()
    await do(shop, id, "confirm", "checkout")
    refused = await do(shop, id, "ship", "staff", carrier="DHL", lines=[{"line": 1, "quantity": 3}])
    assert refused == (409, "MORE_THAN_ORDERED")


@pytest.mark.parametrize(
    "by, reason, note",
    [("ann", CancelReason.CUSTOMER, ""), ("staff", CancelReason.STAFF, "Fraud"), ("checkout", CancelReason.SYSTEM, "")],
)
async def test_who_asked_to_cancel_is_kept(shop: Shop, by: str, reason: CancelReason, note: str) -> None:
    id = await shop.placed()
    assert await do(shop, id, "cancel", by, note=note) == (202, "CANCEL_PENDING")
    assert await do(shop, id, "close", "checkout") == (200, "CANCELLED")
    cancellation = (await shop.order(id)).cancellation
    assert cancellation
    assert (cancellation.reason, cancellation.asked_by) == (reason, {"ann": ANN.id, "staff": STAFF.id}.get(by))


async def test_staff_cancel_with_a_reason(shop: Shop) -> None:
    assert await do(shop, await shop.placed(), "cancel", "staff") == (422, "REASON_REQUIRED")


async def test_an_order_is_rejected_or_expires(shop: Shop) -> None:
    assert await do(shop, await shop.placed("a"), "reject", "checkout", reason="OUT_OF_STOCK") == (200, "REJECTED")
    assert await do(shop, await shop.placed("b"), "expire", "checkout") == (200, "EXPIRED")


@pytest.mark.parametrize("verb", ["confirm", "reject", "expire", "close", "ship", "deliver", "hand-over", "release"])
async def test_a_customer_does_not_do_what_is_the_shops(shop: Shop, verb: str) -> None:
    assert (await do(shop, await shop.placed(), verb, "ann"))[0] == 403


async def test_a_customer_does_not_say_what_goes_back_on_the_shelf(shop: Shop) -> None:
    id = await shop.placed()
    assert await do(shop, id, "return", "ann", restock=True) == (403, "FORBIDDEN")


async def test_an_order_is_looked_at_by_its_customer_and_the_shop(shop: Shop) -> None:
    id = await shop.placed()
    looks = {by: await shop.look(id, by) for by in ("ann", "bob", "staff")}
    assert {by: look.status_code for by, look in looks.items()} == {"ann": 200, "bob": 404, "staff": 200}
    assert looks["ann"].json() == {"id": id, "version": 1, "status": "PLACED"}


async def test_an_order_is_released_by_its_checkout_and_cancelled_by_its_cancellation(shop: Shop) -> None:
    id = await shop.placed()
    checkout, cancellation = sagas_of(id)
    assert (await shop.order(id)).saga == checkout
    assert await do(shop, id, "confirm", "checkout", saga=str(cancellation)) == (409, "SAGA_AT_WORK")
    assert await do(shop, id, "confirm", "checkout", saga=str(checkout)) == (200, "CONFIRMED")
    assert await do(shop, id, "release", "checkout", saga=str(checkout)) == (200, "CONFIRMED")
    assert await do(shop, id, "cancel", "ann") == (202, "CANCEL_PENDING")
    assert (await shop.order(id)).saga == cancellation
    assert await do(shop, id, "close", "checkout", saga=str(checkout)) == (409, "SAGA_AT_WORK")
    assert await do(shop, id, "close", "checkout", saga=str(cancellation)) == (200, "CANCELLED")
    assert (await shop.order(id)).saga is None


async def test_a_checkout_that_cannot_go_on_withdraws_the_order_and_hands_it_over(shop: Shop) -> None:
    id = await shop.placed()
    checkout, cancellation = map(str, sagas_of(id))
    over = {"saga": checkout, "to": "cancellation"}
    await do(shop, id, "confirm", "checkout", saga=checkout)
    assert await do(shop, id, "hand-over", "operator", **over) == (409, "NOT_ALLOWED_NOW")
    assert await do(shop, id, "cancel", "checkout", note="Capture failed") == (202, "CANCEL_PENDING")
    assert await do(shop, id, "hand-over", "checkout", saga=id, to="cancellation") == (409, "SAGA_AT_WORK")
    assert await do(shop, id, "hand-over", "checkout", **over) == (200, "CANCEL_PENDING")
    assert str((await shop.order(id)).saga) == cancellation
    assert await do(shop, id, "close", "checkout", saga=checkout) == (409, "SAGA_AT_WORK")


async def test_what_a_saga_does_with_an_order_needs_a_key_and_names_it(shop: Shop) -> None:
    id = await shop.placed()
    for verb, body in (("release", {"saga": id}), ("hand-over", {"saga": id, "to": "cancellation"})):
        answer = await shop.post(f"/v1/orders/{id}/{verb}", body, by="checkout")
        assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert await do(shop, id, "release", "checkout") == (422, "VALIDATION_FAILED")
    assert await do(shop, id, "hand-over", "checkout", saga=id, to="return") == (422, "VALIDATION_FAILED")


async def test_a_service_cancels_until_something_was_shipped(shop: Shop) -> None:
    id = await shop.placed()
    await do(shop, id, "confirm", "checkout")
    await do(shop, id, "ship", "staff", carrier="DHL", lines=[{"line": 1, "quantity": 1}])
    assert await do(shop, id, "cancel", "checkout", note="Capture failed") == (409, "ALREADY_SHIPPED")


async def test_returns_are_worked_one_after_another(shop: Shop) -> None:
    id = await shop.placed()
    checkout, _ = sagas_of(id)
    first, second = ReturnId(new_id()), ReturnId(new_id())
    await do(shop, id, "confirm", "checkout")
    await do(shop, id, "ship", "staff", carrier="DHL")
    await do(shop, id, "deliver", "staff")
    await do(shop, id, "return", "ann", returnId=str(first), lines=[{"line": 1, "quantity": 1}])
    again = await do(shop, id, "return", "ann", returnId=str(first), lines=[{"line": 2, "quantity": 1}])
    assert again == (409, "ALREADY_EXISTS")
    await do(shop, id, "return", "ann", returnId=str(second))
    for saga in (checkout, *(return_of(refund_of(OrderId(UUID(id)), each)) for each in (first, second))):
        assert (await shop.order(id)).saga == saga
        assert await do(shop, id, "release", "checkout", saga=str(saga)) == (200, "RETURNED")
    assert (await shop.order(id)).saga is None


def sagas_of(id: str) -> tuple[SagaId, SagaId]:
    """Its checkout and its cancellation."""
    payment = payment_of(OrderId(UUID(id)))
    return checkout_of(payment), cancellation_of(payment)
