"""Commands of sagas by HTTP, to the real command API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest

from commands.idempotency import SAGAS
from domain.ids import new_id
from infra.sagas.http import HttpCommands
from sagas.port import Accepted, Refused, Request, Undelivered
from tests.commands.http import test_real_routes
from tests.commands.http.test_real_routes import STAFF, Shop

shop = test_real_routes.shop


@pytest.fixture
async def commands(shop: Shop) -> AsyncIterator[HttpCommands]:
    transport = httpx.ASGITransport(shop.system.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
        yield HttpCommands(client, lambda: shop.system.tokens.access(SAGAS))


def reserve(shop: Shop, **changes: Any) -> Request:
    lines = [{"variantId": shop.variant, "quantity": 2}]
    body = {"id": str(new_id()), "orderId": str(new_id()), "lines": lines}
    return Request(new_id(), "/v1/reservations", body | changes, "c", None, None)


async def received(shop: Shop, quantity: int) -> None:
    answer = await shop.post(f"/v1/stock/{shop.variant}/receive", {"quantity": quantity}, STAFF)
    assert answer.is_success, answer.text


async def test_what_is_accepted_or_refused_stays_so_under_its_key(shop: Shop, commands: HttpCommands) -> None:
    short = reserve(shop)
    first = await commands.send(short)
    assert isinstance(first, Refused)
    assert first.code == "INSUFFICIENT_STOCK"
    await received(shop, 3)
    assert await commands.send(short) == first
    held = reserve(shop)
    accepted = await commands.send(held)
    assert isinstance(accepted, Accepted)
    assert await commands.send(held) == accepted


async def test_a_replys_life_is_not_a_clients_seven_days(shop: Shop, commands: HttpCommands, database: str) -> None:
    """A bank transfer may take longer than that, and what its saga had asked for is not to be done anew."""
    await received(shop, 3)
    await commands.send(reserve(shop))
    with psycopg.connect(database) as connection:
        counted = connection.execute("SELECT count(*) FROM products.replies WHERE keep_until IS NULL").fetchone()
    assert counted == (1,)


async def test_what_says_nothing_of_the_command_is_no_reply(shop: Shop, commands: HttpCommands) -> None:
    with pytest.raises(Undelivered, match="no such row"):
        await commands.send(Request(new_id(), "/v1/nothing-of-the-kind", {}, "c", None, None))
    transport = httpx.ASGITransport(shop.system.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
        stranger = HttpCommands(client, lambda: ("no token", 300))
        with pytest.raises(Undelivered, match="401"):
            await stranger.send(reserve(shop))
