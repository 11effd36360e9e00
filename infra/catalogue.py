"""The catalogue as quotes see it: from the products log itself, never from a read model.

A variant's id is its stock's, whose first event names the product; that never changes, so it is remembered. What is
asked while a load is under way goes into the next one together. Offers are kept for as long as nobody is heard to have
written to the log, and at most for a second; a customer who saw another price is told so when placing the order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final
from uuid import UUID

from commands.services import Offer
from domain.aggregate import States
from domain.ids import ProductId, VariantId
from domain.products.product import Product, ProductStatus, Variant
from domain.products.stock import Stock

Look = Callable[[Iterable[UUID]], Awaitable[States]]
"""The present states of aggregates of the context products: `WriteLoop.states`."""

Offers = Mapping[VariantId, Offer]
REMEMBERED: Final = 100_000  # variants
KEEP: Final = 1.0  # seconds, in case a wake-up is lost


class LogCatalogue:
    def __init__(self, look: Look, head: Callable[[], int]) -> None:
        """`head` is how far the log is heard to reach."""
        self._look = look
        self._head = head
        self._offers: dict[VariantId, Offer] = {}
        self._offers_of = (-1, 0.0)  # head and time at which they were the present ones
        self._product_of: dict[VariantId, ProductId] = {}
        self._asked: set[VariantId] = set()
        self._next: asyncio.Task[Offers] | None = None
        self._free = asyncio.Lock()

    async def offers(self, ids: Iterable[VariantId]) -> Offers:
        """Unknown and removed variants are left out. Raises Unavailable."""
        wanted = frozenset(ids)
        if self._is_fresh() and wanted <= self._offers.keys():
            return {id: self._offers[id] for id in wanted}
        self._asked |= wanted
        self._next = self._next or asyncio.create_task(self._load())
        found = await asyncio.shield(self._next)
        return {id: found[id] for id in wanted if id in found}

    async def _load(self) -> Offers:
        async with self._free:
            asked, self._asked, self._next = self._asked, set(), None
            head = self._head()
            await self._find_products(asked)
            product_of = {id: self._product_of[id] for id in asked if id in self._product_of}
            states = await self._look(set(product_of.values()))
            offers = (offer(states[product_id, Product], id) for id, product_id in product_of.items())
            found = {offer.variant_id: offer for offer in offers if offer}
            self._keep(found, head)
            return found

    def _is_fresh(self) -> bool:
        head, since = self._offers_of
        return head == self._head() and time.monotonic() - since < KEEP

    def _keep(self, found: Offers, head: int) -> None:
        """`head` is from before they were read."""
        if not self._is_fresh():
            self._offers = {}
            self._offers_of = head, time.monotonic()
        if self._offers_of[0] == head:
            self._offers |= found

    async def _find_products(self, variants: Iterable[VariantId]) -> None:
        unknown = [id for id in variants if id not in self._product_of]
        if not unknown:
            return
        if len(self._product_of) + len(unknown) > REMEMBERED:
            self._product_of.clear()
            unknown = list(variants)
        states = await self._look(unknown)
        found = {id: stock.product_id for id in unknown if (stock := states.get(id, Stock))}
        self._product_of.update(found)


def offer(product: Product, id: VariantId) -> Offer | None:
    """None when the product has it no more."""
    found = next((v for v in product.variants if v.id == id), None)
    return offered(product, found) if found else None


def offered(product: Product, variant: Variant) -> Offer:
    name, sold = product.title_of(variant), product.status is ProductStatus.ACTIVE
    return Offer(variant.id, product.id, variant.sku, name, variant.price, sold)
