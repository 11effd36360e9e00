"""Quotes over HTTP: what the tables say, and nothing stored."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg

from tests.commands.orders.shop import CUP, GONE, HOME, TEA, Shop, eur

EVENTS = "SELECT count(*) FROM orders.stored_events"


async def ask(shop: Shop, *lines: tuple[object, int], **more: Any) -> httpx.Response:
    wanted = [{"variantId": str(variant), "quantity": quantity} for variant, quantity in lines]
    return await shop.client.post("/v1/quotes", json={"lines": wanted, "currency": "EUR"} | more)


async def test_a_quote_names_lines_shipping_tax_and_total(shop: Shop) -> None:
    answer = (await ask(shop, (TEA, 2), (CUP, 1), address=HOME)).json()
    assert [(line["sku"], line["unitPrice"], line["quantity"]) for line in answer["lines"]] == [
        ("TEA", eur(1000), 2),
        ("CUP", eur(500), 1),
    ]
    assert (answer["shipping"], answer["tax"], answer["total"]) == (eur(490), eur(568), eur(3558))


async def test_what_is_quoted_can_be_ordered(shop: Shop) -> None:
    total = (await ask(shop, (TEA, 2), (CUP, 1), address=HOME)).json()["total"]
    assert (await shop.place(total["amount"])).status_code == 201


async def test_without_an_address_it_is_the_shops_own_country(shop: Shop) -> None:
    assert (await ask(shop, (TEA, 1))).json() == (await ask(shop, (TEA, 1), address=HOME)).json()


async def test_nothing_is_stored(shop: Shop, module_database: str) -> None:
    with psycopg.connect(module_database) as connection:
        before = connection.execute(EVENTS).fetchone()
        await ask(shop, (TEA, 1))
        assert connection.execute(EVENTS).fetchone() == before


async def test_what_cannot_be_quoted_is_refused(shop: Shop) -> None:
    assert (await ask(shop, (GONE, 1))).json()["code"] == "NOT_FOR_SALE"
    assert (await ask(shop, (TEA, 1), currency="USD")).json()["code"] == "CURRENCY_MISMATCH"
    shop.catalogue.price(TEA, 9_007_199_254_740_991)
    assert (await ask(shop, (TEA, 1))).json()["code"] == "AMOUNT_TOO_LARGE"
