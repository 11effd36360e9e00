"""A projector fails at one order: that order waits, all others flow, and once it is mended it catches up in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

import httpx
import psycopg
import pytest

from domain.actor import Actor, Role
from domain.ids import new_id
from domain.orders.events import OrderPlaced
from infra.bootstrap import System, running
from infra.settings import Settings
from projections.orders.projector import orders, placed_at_once
from projections.orders.row import OrderRow
from tests.eventually import until
from tests.infra.cli.process import chobo, lines

EUR = {"amount": 500, "currency": "EUR"}
ADDRESS = {"name": "Ann Bee", "line1": "1 Way", "postalCode": "1000", "city": "Berne", "country": "CH"}
STAFF = Actor(new_id(), frozenset({Role.STAFF, Role.OPERATOR}))


class Bug:
    """The projector's function for placed orders, with a mistake that strikes the orders in `strikes`."""

    def __init__(self) -> None:
        self.strikes: set[str] = set()

    def __call__(self, event: OrderPlaced) -> OrderRow:
        if str(event.originator_id) in self.strikes:
            raise ZeroDivisionError("a share of nothing")
        return placed_at_once(event)


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Bug:
    bug = Bug()
    monkeypatch.setitem(orders._opens, OrderPlaced, bug)  # type: ignore[misc]
    return bug


@dataclass
class Shop:
    """Everything in this process; the command line in others. There is one thing to buy."""

    system: System
    http: httpx.AsyncClient
    database: str
    customer: str = ""
    variant: str = ""

    async def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        token = self.system.tokens.access(STAFF)[0]
        sent = {"idempotency-key": str(new_id()), "authorization": f"Bearer {token}"}
        answer = await self.http.post(path, json=body, headers=sent | headers)
        assert answer.status_code < 300, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def chobo(self, *arguments: str) -> CompletedProcess[str]:
        environment = {"CHOBO_DATABASE_URL": self.database, "CHOBO_PROFILE": "development"}
        return await asyncio.to_thread(chobo, *arguments, **environment)

    async def said(self, *arguments: str) -> list[dict[str, Any]]:
        return lines(await self.chobo(*arguments, "--json"))

    async def order(self, id: str) -> None:
        """Placed, confirmed and shipped: three events."""
        wanted = [{"variantId": self.variant, "quantity": 1}]
        quote = await self.post("/v1/quotes", {"lines": wanted, "address": ADDRESS, "currency": "EUR"})
        payment = {"method": "CREDIT_CARD", "token": "tok"}
        order = {"id": id, "customerId": self.customer, "lines": wanted, "address": ADDRESS, "payment": payment}
        await self.post("/v1/orders", order | {"quotedTotal": quote["total"]})
        await self.post(f"/v1/orders/{id}/confirm", {})
        await self.post(f"/v1/orders/{id}/ship", {"carrier": "DHL"})

    async def versions(self) -> dict[str, int]:
        """Of the orders that readers see."""
        async with await psycopg.AsyncConnection.connect(self.database) as connection:
            found = await connection.execute("SELECT id, version FROM reads.orders")
            return {str(id): version for id, version in await found.fetchall()}

    async def timeline(self, id: str) -> list[tuple[int, str]]:
        async with await psycopg.AsyncConnection.connect(self.database) as connection:
            found = await connection.execute("SELECT timeline FROM reads.orders WHERE id = %s", [id])
            row = await found.fetchone()
            assert row is not None
            return [(entry["version"], entry["status"]) for entry in row[0]]


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    settings = Settings.read(defaults={"database_url": database, "profile": "development"})
    async with running(settings) as system:
        transport = httpx.ASGITransport(system.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as http:
            shop = Shop(system, http, database)
            person = {"email": "ann@example.com", "password": "correct horse", "name": "Ann Bee"}
            shop.customer = (await shop.post("/v1/users", person))["id"]
            shop.variant = str(new_id())
            variants = [{"id": shop.variant, "sku": "TEA", "price": EUR}]
            product = await shop.post("/v1/products", {"name": "Tea", "variants": variants})
            await shop.post(f"/v1/products/{product['id']}/activate", {})
            yield shop


async def test_the_order_it_strikes_waits_all_others_flow_and_a_retry_catches_it_up_in_order(
    shop: Shop, bug: Bug
) -> None:
    struck, *others = [str(new_id()) for _ in range(4)]
    bug.strikes.add(struck)
    for id in (struck, *others):
        await shop.order(id)

    async def others_are_done() -> bool:
        return await shop.versions() == dict.fromkeys(others, 3)

    await until(others_are_done)

    [parked] = await shop.said("parked", "list")
    assert (parked["sequence"], parked["consumer"], parked["eventType"]) == (struck, "orders@1", "orders.order-placed")
    assert (parked["version"], parked["waiting"]) == (1, 2)
    assert "a share of nothing" in parked["reason"]
    id = parked["id"]

    shown = await shop.chobo("parked", "show", id, "--json")
    assert "1 Way" not in shown.stdout
    [told] = lines(shown)
    assert [event["type"] for event in told["events"]] == [
        "orders.order-placed", "orders.order-confirmed", "orders.order-shipped",
    ]  # fmt: skip
    assert "sealed" in told["events"][0]["state"]
    assert told["sequenceSeenUpTo"] >= told["events"][-1]["position"]

    early = await shop.chobo("parked", "retry", id, "--reason", "Perhaps it was the weather", "--yes", "--json")
    assert early.returncode == 1
    [refused] = lines(early)
    assert "parked again at version 1 (orders.order-placed): ZeroDivisionError" in refused["why"]
    assert struck not in await shop.versions()

    bug.strikes.clear()
    mended = await shop.chobo("parked", "retry", id, "--reason", "Mended in 1.2.3", "--yes", "--json")
    assert (mended.returncode, lines(mended)) == (0, [{"id": id, "outcome": "DONE", "applied": 3}]), mended.stderr
    assert await shop.timeline(struck) == [(1, "PLACED"), (2, "CONFIRMED"), (3, "SHIPPED")]
    assert await shop.said("parked", "list") == []

    late = await shop.chobo("parked", "retry", id, "--reason", "Once more", "--yes")
    assert late.returncode == 1
    assert f"nothing is parked under {id}" in late.stdout

    async def all_on_record() -> bool:
        found = await shop.said("audit", "--kind", "parked.retry")
        return [(line["actor"], line["reason"], line["status"]) for line in found] == [
            ("service:cli", "Once more", "NO_EFFECT"),
            ("service:cli", "Mended in 1.2.3", "DONE"),
            ("service:cli", "Perhaps it was the weather", "FAILED"),
        ]

    await until(all_on_record)
