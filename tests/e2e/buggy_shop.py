"""A shop in this process whose projector of orders can be given a bug; the command line runs in others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from subprocess import CompletedProcess
from typing import Any
from uuid import UUID

import httpx
import psycopg

from commands.payments.gateway import Gateway
from domain.actor import ANONYMOUS, Actor, Role
from domain.ids import new_id
from domain.orders.events import OrderDrafted, OrderPlaced
from infra.bootstrap import System, running
from infra.duties import EVERY, Duty
from infra.settings import Settings
from projections.orders.projector import drafted, placed_at_once
from projections.orders.row import OrderRow
from tests.infra.cli.process import chobo, lines

EUR = {"amount": 500, "currency": "EUR"}
ADDRESS = {"name": "Ann Bee", "line1": "1 Way", "postalCode": "1000", "city": "Berne", "country": "CH"}
IN_CHARGE = frozenset({Role.STAFF, Role.OPERATOR})


@dataclass
class Bug:
    """What opens the rows of orders, with a mistake that strikes those in `strikes`, or every one."""

    strikes: set[str] = field(default_factory=set)
    everything: bool = False

    def placed(self, event: OrderPlaced) -> OrderRow:
        self._strike(event)
        return placed_at_once(event)

    def drafted(self, event: OrderDrafted) -> OrderRow:
        self._strike(event)
        return drafted(event)

    def _strike(self, event: OrderPlaced | OrderDrafted) -> None:
        if self.everything or str(event.originator_id) in self.strikes:
            raise ZeroDivisionError("a share of nothing")


@dataclass
class Shop:
    """There is one thing to buy."""

    system: System
    http: httpx.AsyncClient
    database: str
    by: Actor = ANONYMOUS
    customer: str = ""
    variant: str = ""

    async def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        sent = {"idempotency-key": str(new_id())} | self.signed_in()
        answer = await self.http.post(path, json=body, headers=sent | headers)
        assert answer.status_code < 300, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def signed_in(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.system.tokens.access(self.by)[0]}"} if self.by.id else {}

    async def register(self, name: str) -> str:
        person = {"email": f"{name}@example.com", "password": "correct horse", "name": name.title()}
        return str((await self.post("/v1/users", person))["id"])

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

    async def draft(self) -> str:
        """One event."""
        return str((await self.post("/v1/orders/draft", {"customerId": self.customer, "currency": "EUR"}))["id"])

    async def waiting(self) -> list[int]:
        """How many events wait behind each that is parked, the oldest first."""
        async with await psycopg.AsyncConnection.connect(self.database) as connection:
            found = await connection.execute("SELECT waiting FROM projections.parked ORDER BY parked_at")
            return [waiting for (waiting,) in await found.fetchall()]

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


@asynccontextmanager
async def opened(
    database: str, gateway: Gateway | None = None, duties: Collection[Duty] = EVERY, **more: Any
) -> AsyncIterator[Shop]:
    """`more` are settings by name."""
    settings = Settings.read(defaults={"database_url": database, "profile": "development", **more})
    async with running(settings, duties, gateway=gateway) as system:
        transport = httpx.ASGITransport(system.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as http:
            shop = Shop(system, http, database)
            shop.customer, olga = await shop.register("ann"), await shop.register("olga")
            shop.by = Actor(UUID(olga), IN_CHARGE)
            shop.variant = str(new_id())
            variants = [{"id": shop.variant, "sku": "TEA", "price": EUR}]
            product = await shop.post("/v1/products", {"name": "Tea", "variants": variants})
            await shop.post(f"/v1/products/{product['id']}/activate", {})
            yield shop
