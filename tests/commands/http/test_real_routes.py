"""Bad input of every kind against the real routes on a real log: a problem with a code each time, never a 5xx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.actor import Actor, Role
from domain.ids import new_id
from infra.bootstrap import System, running
from infra.settings import Settings
from infra.tokens import SigningKeys, Tokens, new_key_set

EUR = {"amount": 500, "currency": "EUR"}
ADDRESS = {"name": "Ann Bee", "line1": "1 Way", "postalCode": "1000", "city": "Berne", "country": "CH"}


@dataclass
class Shop:
    """Ann and Bob are customers; there is one thing to buy."""

    system: System
    http: httpx.AsyncClient
    ann: Actor
    bob: Actor
    variant: str
    product: str = ""

    async def post(self, path: str, body: Any, by: Actor | None, **headers: str) -> httpx.Response:
        sent = {"idempotency-key": str(new_id()), "content-type": "application/json"}
        if by is not None:
            sent["authorization"] = f"Bearer {self.system.tokens.access(by)[0]}"
        body = {"content": body} if isinstance(body, bytes | str) else {"json": body}
        return await self.http.post(path, headers=sent | headers, **body)

    async def draft(self, by: Actor) -> str:
        return str((await self.post("/v1/orders/draft", {"currency": "EUR"}, by)).json()["links"]["self"])

    def order(self, **changes: Any) -> dict[str, Any]:
        lines = [{"variantId": self.variant, "quantity": 1}]
        payment = {"method": "CREDIT_CARD", "token": "tok"}
        return {"lines": lines, "address": ADDRESS, "payment": payment, "quotedTotal": EUR, **changes}


STAFF = Actor(new_id(), frozenset({Role.STAFF}))


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    settings = Settings.read(defaults={"database_url": database, "profile": "development"})
    async with running(settings) as system:
        transport = httpx.ASGITransport(system.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as http:
            nobody = Actor(None, frozenset())
            shop = Shop(system, http, nobody, nobody, str(new_id()))
            shop.ann, shop.bob = [await registered(shop, name) for name in ("ann", "bob")]
            variants = [{"id": shop.variant, "sku": "TEA", "price": EUR}]
            product = await shop.post("/v1/products", {"name": "Tea", "variants": variants}, STAFF)
            shop.product = product.json()["id"]
            await shop.post(f"/v1/products/{shop.product}/activate", {}, STAFF)
            yield shop


async def registered(shop: Shop, name: str) -> Actor:
    body = {"email": f"{name}@example.com", "password": "correct horse", "name": f"{name} Bee"}
    answer = await shop.post("/v1/users", body, None)
    return Actor(UUID(answer.json()["id"]), frozenset({Role.CUSTOMER}))


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


async def test_bad_bodies(shop: Shop):
    def line(**changes: Any) -> list[dict[str, Any]]:
        return [{"variantId": shop.variant, "quantity": 1, **changes}]

    bad: list[tuple[Any, str]] = [
        (shop.order(discount=100), "/discount"),
        (shop.order(customer_id=str(new_id())), "/customer_id"),
        (shop.order(quotedTotal="5.00"), "/quotedTotal"),
        (shop.order(quotedTotal={**EUR, "amount": 2**63}), "/quotedTotal/amount"),
        (shop.order(quotedTotal={**EUR, "amount": "500"}), "/quotedTotal/amount"),
        (shop.order(quotedTotal={**EUR, "currency": "XXX"}), "/quotedTotal/currency"),
        (shop.order(address={**ADDRESS, "city": "Ber\x00ne"}), "/address/city"),
        (shop.order(lines=line(quantity=-1)), "/lines/0/quantity"),
        (shop.order(lines=line(quantity=0)), "/lines/0/quantity"),
        (shop.order(lines=line(quantity=2**63)), "/lines/0/quantity"),
        (shop.order(lines=line(quantity=10**30)), "/lines/0/quantity"),
        (shop.order(lines=line(variantId="tea")), "/lines/0/variantId"),
        (shop.order(lines=line() * 1000), "/lines"),
        (shop.order(lines=[]), "/lines"),
    ]
    for body, pointer in bad:
        answer = await shop.post("/v1/orders", body, shop.ann)
        assert code(answer) == (422, "VALIDATION_FAILED"), (pointer, answer.text)
        assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}, answer.text


async def test_what_is_no_json_and_what_is_too_much(shop: Shop):
    assert code(await shop.post("/v1/orders", '{"lines": [', shop.ann)) == (400, "MALFORMED_JSON")
    assert code(await shop.post("/v1/orders", b'{"a": "\xff"}', shop.ann)) == (400, "MALFORMED_JSON")
    assert code(await shop.post("/v1/orders", '{"lines": [], "lines": []}', shop.ann)) == (400, "DUPLICATE_FIELD")
    assert code(await shop.post("/v1/orders", "[" * 100, shop.ann)) == (400, "MALFORMED_JSON")
    assert code(await shop.post("/v1/orders", "[" * 100 + "]" * 100, shop.ann)) == (400, "TOO_DEEP")
    assert code(await shop.post("/v1/orders", " " * 2_000_000, shop.ann)) == (413, "BODY_TOO_LARGE")


async def test_ids_that_are_not_there_or_are_of_something_else(shop: Shop):
    draft = await shop.draft(shop.ann)
    for id in (new_id(), shop.variant, shop.ann.id):
        assert code(await shop.post(f"/v1/orders/{id}/cancel", {"reason": "CUSTOMER"}, shop.ann))[0] in (404, 422)
        assert code(await shop.http.get(f"/v1/orders/{id}"))[0] == 401
    stranger = {"variantId": draft[-36:], "quantity": 1}
    status, _ = code(await shop.post(f"{draft}/add-line", stranger, shop.ann))
    assert status in (404, 409, 422)


async def test_other_peoples_orders_look_as_if_they_were_not_there(shop: Shop):
    draft = await shop.draft(shop.ann)
    line = {"variantId": shop.variant, "quantity": 1}
    theirs = await shop.post(f"{draft}/add-line", line, shop.bob)
    nobodys = await shop.post(f"/v1/orders/{new_id()}/add-line", line, shop.bob)
    assert code(theirs) == code(nobodys) == (404, "NOT_FOUND")
    bob = {"authorization": f"Bearer {shop.system.tokens.access(shop.bob)[0]}"}
    assert code(await shop.http.get(draft, headers=bob)) == (404, "NOT_FOUND")
    assert (await shop.post(f"{draft}/add-line", line, shop.ann)).status_code == 200


async def test_expired_and_forged_tokens(shop: Shop):
    expired = shop.system.tokens.lasting(shop.ann, -1)
    forged = Tokens(SigningKeys(new_key_set())).access(shop.ann)[0]
    for token, expected in ((expired, "TOKEN_EXPIRED"), (forged, "TOKEN_INVALID"), ("x", "TOKEN_INVALID")):
        answer = await shop.post("/v1/orders", shop.order(), None, authorization=f"Bearer {token}")
        assert code(answer) == (401, expected)
    assert code(await shop.post("/v1/orders", shop.order(), None)) == (401, "UNAUTHENTICATED")
    assert code(await shop.post("/v1/products", {}, shop.ann)) == (403, "FORBIDDEN")


async def test_a_suspended_users_token_stops_within_seconds(shop: Shop):
    admin = Actor(new_id(), frozenset({Role.ADMIN, Role.OPERATOR}))
    suspended = await shop.post(f"/v1/users/{shop.ann.id}/suspend", {"reason": "fraud"}, admin)
    assert suspended.status_code == 200, suspended.text
    async with asyncio.timeout(10):
        while (answer := await shop.post("/v1/orders/draft", {"currency": "EUR"}, shop.ann)).status_code == 201:
            await asyncio.sleep(0.1)
    assert code(answer) == (401, "ACCOUNT_BLOCKED")


async def total(shop: Shop) -> dict[str, Any]:
    wanted = {"lines": shop.order()["lines"], "address": ADDRESS, "currency": "EUR"}
    quoted = await shop.post("/v1/quotes", wanted, shop.ann)
    amount: dict[str, Any] = quoted.json()["total"]
    return amount


async def test_one_key_sent_many_times_at_once_places_one_order(shop: Shop):
    body = shop.order(quotedTotal=await total(shop))
    same = {"idempotency-key": "once"}
    answers = await asyncio.gather(*(shop.post("/v1/orders", body, shop.ann, **same) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_a_key_keeps_its_refusal_though_things_have_changed(shop: Shop):
    right = await total(shop)
    wrong = shop.order(quotedTotal={**right, "amount": right["amount"] + 100})
    key = {"idempotency-key": "dear"}
    first = await shop.post("/v1/orders", wrong, shop.ann, **key)
    assert code(first) == (409, "PRICE_CHANGED")
    raised = {"variantId": shop.variant, "price": {**EUR, "amount": 600}}
    changed = await shop.post(f"/v1/products/{shop.product}/change-price", raised, STAFF)
    assert changed.status_code == 200, changed.text
    again = await shop.post("/v1/orders", wrong, shop.ann, **key)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() | {"traceId": ""} == first.json() | {"traceId": ""}
    other = await shop.post("/v1/orders", shop.order(quotedTotal=right), shop.ann, **key)
    assert code(other) == (422, "IDEMPOTENCY_KEY_REUSED")
