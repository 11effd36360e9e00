"""Placing orders over HTTP on a real log: prices, drafts, and the one reply to an idempotency key."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain.ids import derive, new_id
from domain.orders.order import Status
from tests import full
from tests.commands.orders.shop import ANN, BOB, CUP, GONE, HOME, TEA, Shop, eur


async def test_an_order_is_placed_at_todays_names_and_prices(shop: Shop) -> None:
    answer = await shop.place()
    assert (answer.status_code, answer.json()["status"]) == (201, "PLACED")
    order = await shop.order(answer.json()["id"])
    assert (order.customer_id, order.total.amount, [line.name for line in order.lines]) == (
        ANN.id,
        3558,
        ["Tea", "Cup"],
    )


async def test_the_id_may_be_the_clients_and_is_taken_once(shop: Shop) -> None:
    id = str(new_id())
    assert (await shop.place(id=id)).json()["id"] == id
    again = await shop.place(id=id, key="another")
    assert (again.status_code, again.json()["code"]) == (409, "ALREADY_EXISTS")


async def test_another_total_than_quoted_is_refused_with_what_it_costs_now(shop: Shop) -> None:
    answer = await shop.place(total=3557)
    assert (answer.status_code, answer.json()["code"]) == (409, "PRICE_CHANGED")
    assert answer.json()["facts"]["quote"]["total"] == eur(3558)


async def test_what_is_not_for_sale_is_named(shop: Shop) -> None:
    lines = [{"variantId": str(GONE), "quantity": 1}, {"variantId": str(TEA), "quantity": 1}]
    answer = await shop.place(lines=lines)
    assert (answer.json()["code"], answer.json()["facts"]["variants"]) == ("NOT_FOR_SALE", [str(GONE)])


async def test_the_same_variant_may_stand_on_two_lines(shop: Shop) -> None:
    answer = await shop.place(total=2963, lines=[{"variantId": str(TEA), "quantity": 1}] * 2)
    assert len((await shop.order(answer.json()["id"])).lines) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": []},
        {"lines": [{"variantId": str(TEA), "quantity": 0}]},
        {"lines": [{"variantId": str(TEA), "quantity": 1}] * 101},
        {"lines": None},
        {"draftId": str(UUID(int=5))},
        {"quotedTotal": eur(2**63)},
        {"quotedTotal": {"amount": 1, "currency": "XXX"}},
        {"note": "\0"},
        {"unknown": 1},
    ],
)
async def test_bad_input_is_told_apart(shop: Shop, wrong: dict[str, Any]) -> None:
    answer = await shop.place(**wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION_FAILED")


# whose order it is


async def test_staff_order_for_a_customer(shop: Shop) -> None:
    answer = await shop.place(by="staff", customerId=str(BOB.id))
    assert (await shop.order(answer.json()["id"])).customer_id == BOB.id


async def test_a_service_says_whom_it_orders_for(shop: Shop) -> None:
    assert (await shop.place(by="checkout")).json()["code"] == "INVALID_VALUE"


async def test_nobody_orders_for_somebody_who_does_not_exist(shop: Shop) -> None:
    answer = await shop.place(by="staff", customerId=str(UUID(int=77)))
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_customer_orders_for_nobody_else(shop: Shop) -> None:
    assert (await shop.place(customerId=str(BOB.id))).status_code == 403


# from a draft


async def draft_of_two_teas_and_a_cup(shop: Shop) -> str:
    id: str = (await shop.post("/v1/orders/draft", {"currency": "EUR"})).json()["id"]
    for variant in (TEA, CUP, TEA):
        assert (await shop.post(f"/v1/orders/{id}/add-line", {"variantId": str(variant)})).status_code == 200
    return id


async def test_a_draft_is_filled_and_placed(shop: Shop) -> None:
    id = await draft_of_two_teas_and_a_cup(shop)
    answer = await shop.place(lines=None, draftId=id)
    assert (answer.status_code, answer.json()["id"], answer.json()["version"]) == (201, id, 5)
    assert (await shop.order(id)).status is Status.PLACED


async def test_a_draft_is_placed_at_the_prices_of_the_moment(shop: Shop) -> None:
    id = await draft_of_two_teas_and_a_cup(shop)
    shop.catalogue.price(TEA, 900)
    answer = await shop.place(lines=None, draftId=id)
    assert answer.json()["code"] == "PRICE_CHANGED"
    agreed = answer.json()["facts"]["quote"]["total"]["amount"]
    assert (await shop.place(agreed, lines=None, draftId=id, key="agreed")).status_code == 201


async def test_an_empty_draft_is_not_placed(shop: Shop) -> None:
    id = (await shop.post("/v1/orders/draft", {"currency": "EUR"})).json()["id"]
    assert (await shop.place(lines=None, draftId=id)).json()["code"] == "EMPTY_ORDER"


async def test_lines_are_changed_and_removed_while_it_is_a_draft(shop: Shop) -> None:
    id = await draft_of_two_teas_and_a_cup(shop)
    await shop.post(f"/v1/orders/{id}/change-line", {"variantId": str(TEA), "quantity": 5})
    await shop.post(f"/v1/orders/{id}/remove-line", {"variantId": str(CUP)})
    assert [(line.variant_id, line.quantity) for line in (await shop.order(id)).lines] == [(TEA, 5)]
    placed = await shop.placed()
    refused = await shop.post(f"/v1/orders/{placed}/remove-line", {"variantId": str(CUP)})
    assert refused.json()["code"] == "NOT_ALLOWED_NOW"


async def test_what_is_not_for_sale_does_not_go_into_the_cart(shop: Shop) -> None:
    id = (await shop.post("/v1/orders/draft", {"currency": "EUR"})).json()["id"]
    for variant in (GONE, derive("test", "unknown")):
        refused = await shop.post(f"/v1/orders/{id}/add-line", {"variantId": str(variant)})
        assert refused.json()["code"] == "NOT_FOR_SALE"


@pytest.mark.parametrize("verb", ["add-line", "change-line", "remove-line", "cancel", "return"])
async def test_other_peoples_orders_are_not_there(shop: Shop, verb: str) -> None:
    id = await draft_of_two_teas_and_a_cup(shop)
    line = {"variantId": str(TEA)} if verb.endswith("line") else {}
    body = line | ({"quantity": 1} if verb == "change-line" else {})
    answer = await shop.post(f"/v1/orders/{id}/{verb}", body, by="bob", key="k")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_another_ones_draft_cannot_be_placed(shop: Shop) -> None:
    id = await draft_of_two_teas_and_a_cup(shop)
    assert (await shop.place(lines=None, draftId=id, by="bob")).status_code == 404


# the one reply to a key


async def test_a_key_is_required(shop: Shop) -> None:
    body = {"lines": [], "address": HOME, "payment": {"method": "WALLET"}, "quotedTotal": eur(1)}
    assert (await shop.post("/v1/orders", body)).json()["code"] == "IDEMPOTENCY_KEY_REQUIRED"


@pytest.mark.full("orders")
async def test_the_same_key_at_once_in_two_processes_places_one_order(shop: Shop, branch: Shop) -> None:
    for n in range(full.size(10, 300)):
        answers = await asyncio.gather(*(where.place(key=f"k{n}") for where in (shop, branch, shop, branch)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_a_refusal_stays_the_reply_although_it_would_succeed_now(shop: Shop, branch: Shop) -> None:
    shop.catalogue.price(TEA, 900)
    refused = await shop.place()
    shop.catalogue.price(TEA, 1000)
    for where in (shop, branch):
        again = await where.place()
        assert (again.status_code, again.json()["code"]) == (refused.status_code, "PRICE_CHANGED")
        assert again.json()["facts"]["quote"] == refused.json()["facts"]["quote"]
        assert again.headers["idempotent-replayed"] == "true"
    assert (await shop.place(key="new")).status_code == 201


async def test_what_was_not_for_sale_stays_so_for_its_key(shop: Shop) -> None:
    tea = shop.catalogue.shelf.pop(TEA)
    assert (await shop.place()).json()["code"] == "NOT_FOR_SALE"
    shop.catalogue.shelf[TEA] = tea
    assert (await shop.place()).json()["code"] == "NOT_FOR_SALE"


async def test_a_success_stays_the_reply_although_it_would_be_refused_now(shop: Shop, branch: Shop) -> None:
    id = await shop.placed()
    branch.catalogue.price(TEA, 2000)
    again = await branch.place()
    assert (again.status_code, again.json()["id"]) == (201, id)


async def test_a_placed_draft_is_the_reply_although_it_is_no_draft_any_more(shop: Shop) -> None:
    id = await draft_of_two_teas_and_a_cup(shop)
    for _ in range(2):
        answer = await shop.place(lines=None, draftId=id)
        assert (answer.status_code, answer.json()["id"]) == (201, id)


async def test_the_same_key_with_another_body_is_refused(shop: Shop, branch: Shop) -> None:
    await shop.placed()
    for where in (shop, branch):
        answer = await where.place(note="Ring twice")
        assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_belongs_to_who_sent_it(shop: Shop) -> None:
    assert (await shop.place(by="ann")).json()["id"] != (await shop.place(by="bob")).json()["id"]
