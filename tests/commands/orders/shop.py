"""The orders context on a real database, behind the HTTP command API; catalogue and tokens are made up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx
from psycopg_pool import AsyncConnectionPool

from commands.app import app
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.orders.handlers import HANDLERS
from commands.orders.routes import RESOURCES, ROUTES
from commands.services import Loops, Offer, Services
from commands.table import Table
from domain.access import TokenInvalid
from domain.actor import Actor, Role, service
from domain.ids import ProductId, UserId, VariantId, derive
from domain.money import Money
from domain.orders import CONTEXT
from domain.orders.order import Order
from infra.claims import HiddenClaims
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate
from infra.keys import PersonalKeys, migrate_keys
from infra.shipping import TableShipping
from infra.tax import TableTax

ANN = Actor(UUID(int=1), frozenset({Role.CUSTOMER}))
BOB = Actor(UUID(int=2), frozenset({Role.CUSTOMER}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
OPERATOR = Actor(UUID(int=4), frozenset({Role.OPERATOR}))
CHECKOUT = service("checkout")
ACTORS = {"ann": ANN, "bob": BOB, "staff": STAFF, "operator": OPERATOR, "checkout": CHECKOUT}

TEA, CUP, GONE = (VariantId(derive("test", name)) for name in ("tea", "cup", "gone"))
HOME = {"name": "Ada Lovelace", "line1": "Kantstr. 1", "postalCode": "10623", "city": "Berlin", "country": "DE"}


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def offer(id: VariantId, name: str, price: int, *, sold: bool = True) -> Offer:
    sku = name.upper()
    return Offer(id, ProductId(derive("product", id)), sku, name, Money(amount=price, currency="EUR"), sold)


@dataclass
class FakeCatalogue:
    shelf: dict[VariantId, Offer] = field(
        default_factory=lambda: {
            TEA: offer(TEA, "Tea", 1000),
            CUP: offer(CUP, "Cup", 500),
            GONE: offer(GONE, "Gone", 100, sold=False),
        }
    )

    async def offers(self, ids: Iterable[VariantId]) -> Mapping[VariantId, Offer]:
        return {id: self.shelf[id] for id in ids if id in self.shelf}

    def price(self, id: VariantId, amount: int) -> None:
        self.shelf[id] = replace(self.shelf[id], price=Money(amount=amount, currency="EUR"))


class Users:
    """Of the write side, the users: those above exist."""

    def __init__(self, orders: WriteLoop) -> None:
        self._loops = Loops({"orders": orders})

    async def get(self, context: str, id: UUID) -> Any | None:
        if context == "users":
            return next((actor for actor in ACTORS.values() if actor.id == id), None)
        return await self._loops.get(context, id)


@dataclass
class Shop:
    """One process."""

    loop: WriteLoop
    client: httpx.AsyncClient
    catalogue: FakeCatalogue
    run: str  # keeps the keys of tests on one database apart

    async def post(
        self, path: str, body: Mapping[str, Any], *, by: str = "ann", key: str | None = None
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {by}"} | ({"idempotency-key": f"{self.run} {key}"} if key else {})
        return await self.client.post(path, json=dict(body), headers=headers)

    async def place(self, total: int = 3558, *, by: str = "ann", key: str = "k", **more: Any) -> httpx.Response:
        """Two teas and a cup: 2500 and 490 for shipping, and 19 % of both."""
        lines = [{"variantId": str(TEA), "quantity": 2}, {"variantId": str(CUP), "quantity": 1}]
        choice = {"method": "CREDIT_CARD", "token": "pm_card"}
        body = {"lines": lines, "address": HOME, "payment": choice, "quotedTotal": eur(total)} | more
        return await self.post("/v1/orders", {k: v for k, v in body.items() if v is not None}, by=by, key=key)

    async def placed(self, key: str = "k") -> str:
        answer = await self.place(key=key)
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["id"]
        return id

    async def look(self, id: str, by: str) -> httpx.Response:
        return await self.client.get(f"/v1/orders/{id}", headers={"authorization": f"Bearer {by}"})

    async def order(self, id: str) -> Order:
        return (await self.loop.states([UUID(id)]))[UUID(id), Order]


def no_keys() -> dict[str, Any]:
    return {"keys": []}


def actor_of(token: str) -> Actor:
    if token not in ACTORS:
        raise TokenInvalid("nobody knows it")
    return ACTORS[token]


@asynccontextmanager
async def opened(conninfo: str, run: str) -> AsyncIterator[Shop]:
    await migrate(conninfo, [CONTEXT.name])
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=8, open=False) as pool:
        async with pool.connection() as connection:
            await migrate_keys(connection)
        keys = PersonalKeys(pool, bytes(32))
        for actor in ACTORS.values():
            if actor.id:
                await keys.create(UserId(actor.id))
        log = EventLog(conninfo, pool, CONTEXT, keys)
        await log.open()
        loop, catalogue = WriteLoop(CONTEXT, HANDLERS, log), FakeCatalogue()
        transport = httpx.ASGITransport(app(api(loop, catalogue), ROUTES, RESOURCES, jwks=no_keys))
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield Shop(loop, client, catalogue, run)
        await loop.close()
        await log.close()


def api(loop: WriteLoop, catalogue: FakeCatalogue) -> CommandApi:
    unused: Any = None
    services = Services(
        keys=unused,
        passwords=unused,
        claims=HiddenClaims("a secret"),
        tokens=unused,
        states=Users(loop),
        catalogue=catalogue,
        shipping=TableShipping(),
        tax=TableTax(),
        placed_orders=unused,
    )
    return CommandApi(Table(ROUTES, RESOURCES), {"orders": loop}, {"orders": UUID(int=9)}, services, actor_of)
