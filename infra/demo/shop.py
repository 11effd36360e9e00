"""Sets the sample shop up and lets its customers order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

from infra.demo.assortment import (
    CURRENCY,
    PASSWORD,
    RARE,
    Category,
    Customer,
    Product,
    categories,
    customers,
    products,
)
from infra.demo.bank import Bank
from infra.demo.client import JSON, Api, RefusedByServer, Session
from infra.demo.fates import Fate, dealt
from infra.demo.life import Life, Party, new_key
from infra.demo.lives import Lives
from infra.demo.tally import Tally

ON_HAND = 100_000
FEW = 3
"""On hand of what is rare."""

THERE_ALREADY = {"ALREADY_EXISTS", "NOT_ALLOWED_NOW", "EMAIL_TAKEN", "SKU_TAKEN"}


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, or why there is none."""

    number: int
    customer: str
    fate: str
    id: str | None
    total: str
    refused: str | None
    ms: float


class Shop:
    """`operator` has the rights of staff; everything goes through `api` and the bank's pages.

    From the same `seed` follow the same whims, order by order: what is bought by whom, and its fate.
    """

    def __init__(self, api: Api, operator: Session, bank: Bank, seed: int) -> None:
        self._api = api
        self._operator = operator
        self._bank = bank
        self._seed = seed
        self.tally = Tally()
        self._rare = [variant for product in products() if product.name == RARE for variant in product.variants]
        self._variants = [v for product in products() for v in product.variants if v not in self._rare]
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

    async def orders(self, rate: float, lives: Lives, count: int | None = None) -> AsyncIterator[Placed]:
        """`rate` orders a second, at random moments like real ones, for ever or `count` of them.

        Each begins a life of its own.
        """
        moments, fates = Random(self._seed), dealt(Random(self._seed))  # noqa: S311 - whims of customers, no secrets
        number = 0
        due = time.monotonic()
        while count is None or number < count:
            number += 1
            due += moments.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            lives.check()
            yield await self._order(number, next(fates), lives)

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
            await self._receive(variant["id"], rare=product.name == RARE)
        await self._unless_there(f"/v1/products/{product.id}/activate", {})

    async def _receive(self, id: str, *, rare: bool) -> None:
        """Once only, whoever opens the shop again."""
        quantity, key = (FEW, f"demo-few-{id}") if rare else (ON_HAND, f"demo-first-{id}")
        await self._operator.post(f"/v1/stock/{id}/receive", {"quantity": quantity}, key=key)

    async def _customer(self, customer: Customer) -> None:
        body = {"id": str(customer.id), "email": customer.email, "password": PASSWORD, "name": customer.name}
        await self._unless_there("/v1/users", body)

    async def _unless_there(self, path: str, body: JSON) -> None:
        try:
            await self._operator.post(path, body)
        except RefusedByServer as refused:
            if refused.code not in THERE_ALREADY:
                raise

    async def _order(self, number: int, fate: Fate, lives: Lives) -> Placed:
        chance = Random(f"{self._seed}/{number}")  # noqa: S311 - see above
        customer, session = chance.choice(list(self._sessions.items()))
        basket, token = self._basket(fate, chance), chosen(fate, chance)
        began = time.perf_counter()
        try:
            id, total = await self._placed(customer, session, basket, {"method": fate.method} | token)
        except RefusedByServer as refused:
            self.tally.refuse(str(refused))
            return Placed(number, customer.name, fate.name, None, "", str(refused), since(began))
        party = Party(session, self._operator, self._bank)
        lives.begin(Life(id, fate, party, self.tally, chance))
        return Placed(number, customer.name, fate.name, id, total, None, since(began))

    async def _placed(self, customer: Customer, session: Session, lines: list[JSON], payment: JSON) -> tuple[str, str]:
        wanted = {"lines": lines, "address": customer.address}
        total = (await self._api.post("/v1/quotes", wanted | {"currency": CURRENCY}))["total"]
        order = await session.post("/v1/orders", wanted | {"payment": payment, "quotedTotal": total}, key=new_key())
        return order["id"], f"{total['amount'] / 100:.2f} {total['currency']}"

    def _basket(self, fate: Fate, chance: Random) -> list[dict[str, Any]]:
        lines = [line(variant, chance.randint(1, 3)) for variant in chance.sample(self._variants, chance.randint(1, 4))]
        return [*lines, line(self._rare[0], FEW + 1)] if fate.wants_too_much else lines


def line(variant: JSON, quantity: int) -> JSON:
    return {"variantId": variant["id"], "quantity": quantity}


def chosen(fate: Fate, chance: Random) -> JSON:
    """With a bank transfer there is nothing to choose: the customer is told where to send the money."""
    return {"token": chance.choice(fate.tokens)} if fate.tokens else {}


def since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
