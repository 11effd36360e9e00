"""The catalogue and the warehouse as clients meet them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from domain.actor import Actor, Role
from domain.ids import new_id
from tests.commands.products.warehouse import Warehouse, order, tea, warehouse

CUSTOMER = Actor(UUID(int=4), frozenset({Role.CUSTOMER}))


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Warehouse]:
    async with warehouse(database) as one:
        yield one


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    return answer.status_code, answer.json()["code"]


async def test_a_product_is_made_edited_and_sold(shop: Warehouse):
    made = await shop.post("/v1/products", tea(str(new_id())))
    assert (made.status_code, made.json()["status"], made.headers["location"]) == (
        201,
        "DRAFT",
        f"/v1/products/{made.json()['id']}",
    )
    path = made.headers["location"]
    etag = (await shop.get(path)).headers["etag"]
    edited = await shop.post(f"{path}/edit", {"name": "Green tea"}, if_match=etag)
    assert (edited.status_code, edited.json()["version"]) == (200, 3)
    activated = await shop.post(f"{path}/activate")
    assert activated.json()["status"] == "ACTIVE"


async def test_an_edit_names_the_version_it_was_made_on(shop: Warehouse):
    path = (await shop.post("/v1/products", tea(str(new_id())))).headers["location"]
    assert problem(await shop.post(f"{path}/edit", {"name": "Green tea"}))[0] == 428
    assert problem(await shop.post(f"{path}/edit", {"name": "Green tea"}, if_match='"1"')) == (412, "STALE_VERSION")


async def test_only_staff_changes_the_catalogue_and_the_stock(shop: Warehouse):
    for path in ("/v1/products", "/v1/categories", "/v1/reservations"):
        assert problem(await shop.post(path, by=CUSTOMER)) == (403, "FORBIDDEN")
        assert problem(await shop.post(path, by=None))[0] == 401


async def test_moving_stock_needs_a_key(shop: Warehouse):
    variant = await shop.stocked(5)
    for verb in ("receive", "adjust", "count"):
        assert problem(await shop.post(f"/v1/stock/{variant}/{verb}"))[0] == 400
    assert problem(await shop.post("/v1/reservations", order((variant, 1))))[0] == 400


async def test_who_cannot_have_it_is_told_what_there_is(shop: Warehouse):
    variant = await shop.stocked(2)
    refused = await shop.keyed("/v1/reservations", order((variant, 2), (variant, 1)))
    assert problem(refused) == (409, "INSUFFICIENT_STOCK")
    assert refused.json()["facts"]["short"] == [{"variantId": variant, "asked": 3, "available": 2}]


async def test_a_reservation_is_held_and_committed(shop: Warehouse):
    tea, cup = await shop.stocked(2), await shop.stocked(1)
    held = await shop.keyed("/v1/reservations", order((tea, 2), (cup, 1)))
    assert (held.status_code, held.json()["status"]) == (201, "HELD")
    done = await shop.keyed(f"{held.headers['location']}/commit")
    assert (done.status_code, done.json()["status"]) == (200, "COMMITTED")
    assert problem(await shop.keyed(f"{held.headers['location']}/release")) == (409, "NOT_ALLOWED_NOW")
    assert (await shop.get(f"/v1/stock/{tea}")).json()["status"] == "OUT_OF_STOCK"


async def test_an_order_that_had_left_is_put_back(shop: Warehouse):
    tea, cup = await shop.stocked(2), await shop.stocked(1)
    held = (await shop.keyed("/v1/reservations", order((tea, 2), (cup, 1)))).headers["location"]
    assert problem(await shop.post(f"{held}/put-back")) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    await shop.keyed(f"{held}/commit")
    back = await shop.keyed(f"{held}/put-back")
    assert (back.status_code, back.json()["status"]) == (200, "RETURNED")
    assert (await shop.keyed(f"{held}/put-back")).json()["version"] == back.json()["version"]
    assert {(await shop.get(f"/v1/stock/{id}")).json()["status"] for id in (tea, cup)} == {"IN_STOCK"}
    assert problem(await shop.keyed(f"{held}/commit")) == (409, "NOT_ALLOWED_NOW")


async def test_the_goods_of_a_return_are_restocked_once_whatever_the_key(shop: Warehouse):
    tea, cup = await shop.stocked(1), await shop.stocked(1)
    body = order((tea, 2), (cup, 1)) | {"returnId": str(new_id())}
    assert problem(await shop.post("/v1/restocks", body)) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    done = await shop.keyed("/v1/restocks", body)
    assert (done.status_code, done.json()["version"], done.json()["status"]) == (201, 1, "DONE")
    assert (await shop.get(done.headers["location"])).json()["id"] == done.json()["id"]
    assert (await shop.keyed("/v1/restocks", body)).json()["id"] == done.json()["id"]
    # opened, received, came back, and once returned
    assert (await shop.get(f"/v1/stock/{tea}")).json()["version"] == 4
    assert problem(await shop.keyed("/v1/restocks", body | order((tea, 3)) | {"orderId": body["orderId"]})) == (
        409,
        "ALREADY_EXISTS",
    )
    assert problem(await shop.post("/v1/restocks", body, by=CUSTOMER)) == (403, "FORBIDDEN")


async def test_a_return_with_a_variant_that_is_gone_is_refused_for_good_and_goes_without_it(shop: Warehouse):
    small, large, key = str(new_id()), str(new_id()), str(new_id())
    made = await shop.post("/v1/products", two_sizes(small, large))
    await shop.post(f"{made.headers['location']}/remove-variant", {"variantId": small})
    body = order((small, 1), (large, 1)) | {"returnId": str(new_id())}
    refused = [await shop.post("/v1/restocks", body, idempotency_key=key) for _ in range(2)]
    assert [problem(answer) for answer in refused] == [(409, "STOCK_CLOSED")] * 2
    assert refused[1].headers["idempotent-replayed"] == "true"
    assert refused[1].json()["facts"] == {"variants": [small]}
    assert (await shop.keyed("/v1/restocks", body | {"lines": body["lines"][1:]})).status_code == 201
    assert (await shop.get(f"/v1/stock/{large}")).json()["status"] == "IN_STOCK"


def two_sizes(small: str, large: str) -> dict[str, object]:
    price = {"amount": 650, "currency": "EUR"}
    variants = [{"id": id, "sku": f"TEA-{id}", "price": price, "values": {"size": id[-4:]}} for id in (small, large)]
    return {"name": "Tea", "options": ["size"], "variants": variants}


async def test_a_refused_key_stays_refused_after_the_restock(shop: Warehouse):
    variant, wanted, key = await shop.stocked(1), str(new_id()), str(new_id())
    body = order((variant, 2)) | {"id": wanted}
    first = await shop.post("/v1/reservations", body, idempotency_key=key)
    await shop.keyed(f"/v1/stock/{variant}/receive", {"quantity": 5})
    again = await shop.post("/v1/reservations", body, idempotency_key=key)
    assert (first.status_code, again.status_code) == (409, 409)
    assert (again.json()["facts"]["short"], again.headers["idempotent-replayed"]) == (
        first.json()["facts"]["short"],
        "true",
    )
    assert (await shop.keyed("/v1/reservations", body)).status_code == 201


async def test_the_same_key_at_once_receives_once(shop: Warehouse):
    variant, key = await shop.stocked(1), str(new_id())
    path, body = f"/v1/stock/{variant}/receive", {"quantity": 1}
    answers = await asyncio.gather(*(shop.post(path, body, idempotency_key=key) for _ in range(5)))
    assert {(a.status_code, a.json()["version"]) for a in answers} == {(200, 4)}
    assert (await shop.get(f"/v1/stock/{variant}")).json()["version"] == 4


async def test_categories_are_made_moved_and_looked_at(shop: Warehouse):
    toys, dolls = [(await shop.post("/v1/categories", {"name": name})).json()["id"] for name in ("Toys", "Dolls")]
    moved = await shop.post(f"/v1/categories/{dolls}/move", {"parentId": toys})
    assert (moved.status_code, moved.json()["id"], moved.json()["version"]) == (200, dolls, 3)
    assert problem(await shop.post(f"/v1/categories/{toys}/move", {"parentId": dolls})) == (409, "CATEGORY_CYCLE")
    assert problem(await shop.post(f"/v1/categories/{toys}/move")) == (422, "VALIDATION_FAILED")
    assert problem(await shop.post(f"/v1/categories/{toys}/remove")) == (409, "CATEGORY_NOT_EMPTY")
    assert (await shop.get(f"/v1/categories/{toys}", by=None)).json()["status"] == "ACTIVE"
    assert problem(await shop.get(f"/v1/categories/{new_id()}")) == (404, "NOT_FOUND")


async def test_bad_values_are_named(shop: Warehouse):
    variant = str(new_id())
    for wrong in (
        tea(variant, variants=[]),
        tea(variant, colour="red"),
        tea("x"),
        tea(variant, name="NUL \x00"),
        tea(variant, images=[{"url": "javascript:alert(1)"}]),
        tea(variant, variants=[{"sku": "T", "price": {"amount": "5", "currency": "EUR"}}]),
        tea(variant, variants=[{"sku": "T", "price": {"amount": 2**63, "currency": "EUR"}}]),
        tea(variant, variants=[{"sku": "T", "price": {"amount": 5, "currency": "XXX"}}]),
    ):
        assert problem(await shop.post("/v1/products", wrong)) == (422, "VALIDATION_FAILED")
    for quantity in (-1, 0, 10**12, True, "1"):
        answer = await shop.keyed(f"/v1/stock/{variant}/receive", {"quantity": quantity})
        assert problem(answer) == (422, "VALIDATION_FAILED")
