"""Sets the sample shop up and lets its customers order."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from infra.demo.assortment import CURRENCY, PASSWORD, Category, Customer, Product, categories, customers, products
from infra.demo.client import JSON, Api, RefusedByServer, Session

ON_HAND = 100_000
THERE_ALREADY = {"ALREADY_EXISTS", "NOT_ALLOWED_NOW", "EMAIL_TAKEN", "SKU_TAKEN"}


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, or why there is none."""

    number: int
    customer: str
    id: str | None
    total: str
    refused: str | None
    ms: float


class Shop:
    """`operator` has the rights of staff; everything goes through `api`."""

    def __init__(self, api: Api, operator: Session, chance: random.Random) -> None:
        self._api = api
        self._operator = operator
        self._chance = chance
        self._variants = [variant for product in products() for variant in product.variants]
        self._sessions = {customer: Session(api, customer.email, PASSWORD) for customer in customers()}

    @staticmethod
    def steps() -> int:
        return sum(1 for _ in (*categories(), *products(), *customers()))

    async def set_up(self) -> AsyncIterator[str]:
        """Yields the name of each thing when it is there. What is there already stays as it is."""
        for category in categories():
            await self._category(category)
            yield category.name
        for product in products():
            await self._product(product)
            yield product.name
        for customer in customers():
            await self._customer(customer)
            yield customer.name

    async def orders(self, rate: float, count: int | None = None) -> AsyncIterator[Placed]:
        """`rate` orders a second, at random moments like real ones, for ever or `count` of them."""
        number = 0
        due = time.monotonic()
        while count is None or number < count:
            number += 1
            due += self._chance.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            yield await self._order(number)

    async def _category(self, category: Category) -> None:
        parent = str(Category(category.parent).id) if category.parent else None
        body = {"id": str(category.id), "name": category.name, "parentId": parent}
        await self._unless_there("/v1/categories", body)

    async def _product(self, product: Product) -> None:
        body: JSON = {
            "id": str(product.id),
            "name": product.name,
            "categoryId": str(Category(product.category).id),
            "options": ["size"] if product.sizes else [],
            "variants": product.variants,
        }
        await self._unless_there("/v1/products", body)
        for variant in product.variants:
            id = variant["id"]
            await self._operator.post(f"/v1/stock/{id}/receive", {"quantity": ON_HAND}, key=f"demo-first-{id}")
        await self._unless_there(f"/v1/products/{product.id}/activate", {})

    async def _customer(self, customer: Customer) -> None:
        body = {"id": str(customer.id), "email": customer.email, "password": PASSWORD, "name": customer.name}
        await self._unless_there("/v1/users", body)

    async def _unless_there(self, path: str, body: JSON) -> None:
        try:
            await self._operator.post(path, body)
        except RefusedByServer as refused:
            if refused.code not in THERE_ALREADY:
                raise

    async def _order(self, number: int) -> Placed:
        customer, session = self._chance.choice(list(self._sessions.items()))
        began = time.perf_counter()
        try:
            order, total = await self._placed(customer, session)
        except RefusedByServer as refused:
            return Placed(number, customer.name, None, "", str(refused), since(began))
        return Placed(number, customer.name, order["id"], total, None, since(began))

    async def _placed(self, customer: Customer, session: Session) -> tuple[JSON, str]:
        wanted = {"lines": list(self._basket()), "address": customer.address}
        total = (await self._api.post("/v1/quotes", wanted | {"currency": CURRENCY}))["total"]
        body = wanted | {"payment": {"method": "CREDIT_CARD", "token": "tok_sample"}, "quotedTotal": total}
        key = f"demo-{self._chance.getrandbits(128):032x}"
        return await session.post("/v1/orders", body, key=key), f"{total['amount'] / 100:.2f} {total['currency']}"

    def _basket(self) -> Iterator[dict[str, Any]]:
        for variant in self._chance.sample(self._variants, self._chance.randint(1, 4)):
            yield {"variantId": variant["id"], "quantity": self._chance.randint(1, 3)}


def since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
