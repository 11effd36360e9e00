"""The products context on a real log behind the HTTP command API, asked by staff unless said otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from commands.app import app
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.products.routes import RESOURCES, ROUTES
from commands.services import Loops, Services
from commands.table import Table
from domain.actor import Actor
from domain.ids import new_id
from domain.products import CONTEXT
from tests.commands.products.loops import products_loop
from tests.commands.users.place import STAFF, PlainClaims, ReadableTokens, actor_of

JSON = dict[str, Any]


class Warehouse:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, by: Actor | None = STAFF, **headers: str
    ) -> httpx.Response:
        return await self.client.post(path, json=dict(body or {}), headers=headers_of(by, headers))

    async def get(self, path: str, *, by: Actor | None = STAFF, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers_of(by, headers))

    async def keyed(self, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """With a key of its own."""
        return await self.post(path, body, idempotency_key=str(new_id()))

    async def stocked(self, quantity: int) -> str:
        """A variant of a product of its own, of which there is so much."""
        variant = str(new_id())
        drafted = await self.post("/v1/products", tea(variant))
        assert drafted.status_code == 201, drafted.text
        received = await self.keyed(f"/v1/stock/{variant}/receive", {"quantity": quantity})
        assert received.status_code == 200, received.text
        return variant


def tea(variant: str, **more: Any) -> JSON:
    price = {"amount": 650, "currency": "EUR"}
    return {"name": "Tea", "variants": [{"id": variant, "sku": f"TEA-{variant}", "price": price}], **more}


def order(*lines: tuple[str, int]) -> JSON:
    return {"orderId": str(new_id()), "lines": [{"variantId": v, "quantity": n} for v, n in lines]}


def headers_of(by: Actor | None, named: Mapping[str, str]) -> dict[str, str]:
    headers = {name.replace("_", "-"): value for name, value in named.items()}
    return headers | {"authorization": f"Bearer {ReadableTokens().access(by)[0]}"} if by else headers


@asynccontextmanager
async def warehouse(conninfo: str) -> AsyncIterator[Warehouse]:
    async with products_loop(conninfo) as loop:
        transport = httpx.ASGITransport(app(api(loop), ROUTES, RESOURCES, jwks=dict))
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield Warehouse(client)


def api(loop: WriteLoop) -> CommandApi:
    loops = {CONTEXT.name: loop}
    unused: Any = None
    services = Services(
        keys=unused,
        passwords=unused,
        claims=PlainClaims(),
        tokens=unused,
        states=Loops(loops),
        catalogue=unused,
        shipping=unused,
        tax=unused,
        placed_orders=unused,
    )
    return CommandApi(Table(ROUTES, RESOURCES), loops, {CONTEXT.name: UUID(int=9)}, services, actor_of)
