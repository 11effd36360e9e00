"""An order settles when no saga works it any more, whoever has written that."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from domain.ids import OrderId, SagaId, new_id
from domain.orders.events import OrderEvent, SagaAssigned, SagaReleased
from infra.bootstrap import System
from infra.settling import POLL
from tests.commands.http import test_real_routes
from tests.commands.http.test_real_routes import Shop, total
from tests.eventually import until
from tests.infra.stored import append
from tests.specification import AT

shop = test_real_routes.shop
SAGA = SagaId(new_id())


class Other:
    """Another process, which works an order; `order` is the id."""

    def __init__(self, database: str, order: str) -> None:
        self.database = database
        self.id = OrderId(UUID(order))

    async def assigns(self) -> None:
        at: Any = {"originator_id": self.id, "originator_version": 2, "timestamp": AT}
        await self.writes(SagaAssigned(**at, saga_id=SAGA, process="checkout"))

    async def releases(self) -> None:
        at: Any = {"originator_id": self.id, "originator_version": 3, "timestamp": AT}
        await self.writes(SagaReleased(**at, saga_id=SAGA))

    async def writes(self, event: OrderEvent) -> None:
        await asyncio.to_thread(append, self.database, "orders", [event])

    def tells(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("SELECT pg_notify('chobo_orders', max(notification_id)::text) FROM orders.stored_events")


@pytest.fixture
async def body(shop: Shop) -> dict[str, Any]:
    return shop.order(quotedTotal=await total(shop))


async def place(shop: Shop, body: Any, seconds: float = 0) -> httpx.Response:
    prefer = {"prefer": f"wait={seconds}"} if seconds else {}
    return await shop.post("/v1/orders", body, shop.ann, **{"idempotency-key": "one"}, **prefer)


@pytest.fixture
async def worked(shop: Shop, body: Any, database: str) -> Other:
    """A saga is at work on Ann's order."""
    placed = await place(shop, body)
    assert placed.status_code == 201, placed.text
    other = Other(database, placed.json()["id"])
    await other.assigns()
    return other


async def test_an_order_that_its_saga_has_ended_is_answered_then_with_its_newest_state(shop, body):
    began = time.monotonic()
    answer = await place(shop, body, 20)
    assert (answer.status_code, answer.headers["preference-applied"]) == (201, "wait=20")
    assert answer.json()["version"] > 1
    assert answer.json()["status"] != "PLACED"
    assert time.monotonic() - began < 20


async def test_a_repeated_request_waits_until_the_saga_is_done_and_shows_the_newest(shop, body, worked):
    waiting = asyncio.create_task(place(shop, body, 20))
    await until(lambda: waits(shop.system))
    await worked.releases()
    worked.tells()
    answer = await waiting
    assert (answer.status_code, answer.headers["idempotent-replayed"]) == (201, "true")
    assert (answer.json()["version"], answer.headers["etag"]) == (3, '"3"')
    assert answer.headers["preference-applied"] == "wait=20"


async def test_who_is_not_woken_looks(shop, body, worked):
    waiting = asyncio.create_task(place(shop, body, 20))
    await until(lambda: waits(shop.system))
    await worked.releases()
    assert (await asyncio.wait_for(waiting, 10 * POLL)).json()["version"] == 3


async def test_what_does_not_settle_is_answered_when_the_time_is_over(shop, body, worked):
    began = time.monotonic()
    answer = await place(shop, body, 1)
    assert 1 <= time.monotonic() - began < 5
    assert (answer.status_code, answer.json()["version"], answer.json()["status"]) == (201, 2, "PLACED")
    assert answer.headers["preference-applied"] == "wait=1"


async def test_cancelling_waits_too(shop, worked):
    cancel = {"prefer": "wait=1"}
    answer = await shop.post(f"/v1/orders/{worked.id}/cancel", {}, shop.ann, **cancel)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    assert (answer.json()["version"], answer.json()["status"]) == (3, "CANCEL_PENDING")


async def test_nobody_waits_who_does_not_ask(shop, body, worked):
    answer = await place(shop, body)
    assert "preference-applied" not in answer.headers
    assert answer.json()["version"] == 1


async def test_a_process_that_stops_ends_every_wait(shop, body, worked):
    waiting = asyncio.create_task(place(shop, body, 20))
    await until(lambda: waits(shop.system))
    shop.system.stopping.set()
    answer = await asyncio.wait_for(waiting, 5)
    assert (answer.status_code, answer.json()["version"]) == (201, 2)


def waits(system: System) -> bool:
    """Whether somebody waits, for an order or the process's end."""
    return bool(system.stopping._waiters)
