"""Customers who buy on credit and may think better of it, over HTTP: a request that fails is made again as it was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import httpx

from domain.actor import Actor, Role, service
from domain.ids import OrderId, UserId, VariantId, derive, new_id
from infra.tokens import SigningKeys, Tokens

ADDRESS: Final = {"name": "Ann Bee", "line1": "1 Way", "postalCode": "1000", "city": "Berne", "country": "CH"}
JSON = dict[str, Any]
PATIENCE: Final = 60.0  # seconds for which a request is made again
UNWELL: Final = (429, 500, 502, 503, 504)


class NotAnswered(Exception):
    """The shop is away."""


@dataclass
class Checkouts:
    """A shop with one thing to buy and one customer. `address` is where its command API is at the moment."""

    address: str
    tokens: Tokens
    stock: int
    variant: VariantId = field(default_factory=lambda: VariantId(new_id()))
    customer: UserId = field(default_factory=lambda: UserId(new_id()))
    order: JSON = field(default_factory=dict)

    @classmethod
    async def opened(cls, address: str, token_keys: str, stock: int) -> Checkouts:
        shop = cls(address, Tokens(SigningKeys(token_keys)), stock)
        await shop._set_up()
        return shop

    async def place(self, id: OrderId, token: str, http: httpx.AsyncClient | None = None) -> JSON:
        payment = {"method": "CREDIT_CARD", "token": token}
        body = self.order | {"id": str(id), "payment": payment}
        return await self.asks("/v1/orders", body, key=derive("placing", id), by=self.buyer, http=http)

    async def cancel(self, id: OrderId, http: httpx.AsyncClient | None = None) -> JSON:
        """Also how it was refused: it may have been too late."""
        path = f"/v1/orders/{id}/cancel"
        return await self.asks(path, {}, key=derive("cancelling", id), by=self.buyer, refusable=True, http=http)

    @property
    def buyer(self) -> Actor:
        return Actor(self.customer, frozenset({Role.CUSTOMER}))

    async def asks(
        self,
        path: str,
        body: JSON,
        *,
        key: UUID | None = None,
        by: Actor | None = None,
        refusable: bool = False,
        http: httpx.AsyncClient | None = None,
    ) -> JSON:
        """Raises NotAnswered when nobody answers."""
        token = self.tokens.lasting(by or service("tests"), 7200)
        headers = {"authorization": f"Bearer {token}", "idempotency-key": str(key or new_id())}
        try:
            if http is None:
                async with httpx.AsyncClient(timeout=20) as client:
                    answer = await client.post(self.address + path, json=body, headers=headers)
            else:
                answer = await http.post(self.address + path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise NotAnswered(f"POST {path}: {error!r}") from error
        if answer.status_code in UNWELL:
            raise NotAnswered(f"POST {path}: {answer.status_code} {answer.text}")
        assert answer.is_success or refusable, f"POST {path}: {answer.status_code} {answer.text}"
        said: JSON = answer.json()
        return said

    async def _set_up(self) -> None:
        product = new_id()
        sold = {"id": str(self.variant), "sku": "NB-1", "price": {"amount": 1200, "currency": "EUR"}}
        await self.asks("/v1/products", {"id": str(product), "name": "Notebook", "variants": [sold]})
        await self.asks(f"/v1/products/{product}/activate", {})
        await self.asks(f"/v1/stock/{self.variant}/receive", {"quantity": self.stock})
        person = {"email": "ann@example.org", "password": "long enough", "name": "Ann"}
        self.customer = UserId(UUID((await self.asks("/v1/users", person))["id"]))
        wanted = {"lines": [{"variantId": str(self.variant), "quantity": 1}], "address": ADDRESS}
        quote = await self.asks("/v1/quotes", wanted | {"currency": "EUR"})
        self.order = wanted | {"quotedTotal": quote["total"]}


async def insisted(ask: Any, within: float = PATIENCE) -> JSON:
    """Until it is answered: `ask` makes the same request each time."""
    async with asyncio.timeout(within):
        while True:
            try:
                said: JSON = await ask()
            except NotAnswered:
                await asyncio.sleep(0.1)
            else:
                return said
