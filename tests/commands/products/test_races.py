"""Two processes want the same thing at the same moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from commands.loop import WriteLoop
from commands.products import messages as m
from domain.ids import CategoryId, new_id
from domain.products.categories import TREE, Categories
from domain.products.stock import Stock
from tests.commands.products.desk import draft, new_variant, reserve
from tests.commands.products.loops import SOON, Process, process, products_loop, race, said, submit
from tests.full import is_full, randomness, size

pytestmark = pytest.mark.full("stock")


@dataclass(frozen=True)
class Two:
    """Two processes, and a loop of the test's own to prepare and to look."""

    own: WriteLoop
    one: Process
    other: Process

    async def race(self, mine: Any, yours: Any) -> list[dict[str, Any]]:
        return await race(self.one, self.other, mine, yours)

    async def stocked(self, quantity: int) -> UUID:
        """A variant of which there is so much."""
        variant = new_variant(f"SKU-{new_id()}")
        (await submit(self.own, draft(variant))).result()
        (await submit(self.own, m.ReceiveStock(quantity=quantity), variant.id)).result()
        return variant.id

    async def stock(self, id: UUID) -> Stock:
        return (await self.own.states([id]))[id, Stock]


@pytest.fixture
async def two(database: str) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(products_loop(database))
        one = await stack.enter_async_context(process(database))
        yield Two(own, one, await stack.enter_async_context(process(database)))


async def test_the_last_item_goes_to_one_and_the_other_is_told_what_was_available(two: Two):
    for _ in range(size(20, 200)):
        last = await two.stocked(1)
        answers = await two.race(said(reserve((last, 1))), said(reserve((last, 1))))
        assert sorted(answer.get("status", "") for answer in answers) == ["", "HELD"]
        loser = next(answer for answer in answers if "refused" in answer)
        short = [{"variantId": str(last), "asked": 1, "available": 0}]
        assert loser == {"refused": "INSUFFICIENT_STOCK", "facts": {"short": short}}
        assert (await two.stock(last)).reserved == 1


async def test_two_categories_moved_below_each_other_make_no_cycle(two: Two):
    for _ in range(size(20, 200)):
        a, b = [CategoryId((await submit(two.own, m.CreateCategory(name=f"{new_id()}"))).result().id) for _ in "ab"]
        answers = await two.race(said(m.MoveCategory(parent_id=b), a), said(m.MoveCategory(parent_id=a), b))
        assert sorted(answer.get("refused", "") for answer in answers) == ["", "CATEGORY_CYCLE"]
        tree = (await two.own.states([TREE]))[TREE, Categories]
        assert sorted(len(tree.path(id)) for id in (a, b)) == [1, 2]


async def test_a_sku_is_taken_once(two: Two):
    for n in range(size(10, 100)):
        answers = await two.race(*(said(draft(new_variant(sku))) for sku in (f"tea-{n}", f"TEA-{n}")))
        assert sorted(answer.get("refused", "") for answer in answers) == ["", "SKU_TAKEN"]


async def test_a_hot_variant_serves_both(two: Two):
    """Neither gets less than a third; in full neither's p99 is over five times the other's, nothing takes a second."""
    variant = await two.stocked(1_000_000)
    asked = {"at": time.monotonic() + SOON, "hot": str(variant), "callers": 16, "seconds": size(1.5, 15.0)}
    met = await asyncio.gather(two.one.ask(asked), two.other.ask(asked))
    accepted = [answer["accepted"] for answer in met]
    stock = await two.stock(variant)
    assert (stock.reserved, stock.on_hand) == (0, 1_000_000 - sum(accepted) // 2)
    assert min(accepted) >= sum(accepted) / 3, accepted
    slowest = [answer["took"][-1] for answer in met]
    p99 = [answer["took"][int(len(answer["took"]) * 0.99)] for answer in met]
    print(f"accepted {accepted}, p99 {p99} s, slowest {slowest} s")
    if is_full("stock"):
        assert max(p99) <= 5 * min(p99), p99
        assert max(slowest) < 1, slowest


async def test_two_loops_never_hold_more_than_there_is(database: str):
    """Orders of one to three lines over five variants, from two loops at once."""
    random = randomness()
    async with products_loop(database) as one, products_loop(database) as other:
        variants = [new_variant(f"TEA-{n}") for n in range(5)]
        for variant in variants:
            await submit(one, draft(variant))
            await submit(one, m.ReceiveStock(quantity=20), variant.id)
        orders = [
            reserve(*((v.id, random.randint(1, 3)) for v in random.sample(variants, random.randint(1, 3))))
            for _ in range(size(100, 2_000))
        ]
        replies = await asyncio.gather(*(submit((one, other)[n % 2], order) for n, order in enumerate(orders)))
        held = [order for order, reply in zip(orders, replies, strict=True) if reply.refusal is None]
        states = await other.states([v.id for v in variants])
        for variant in variants:
            stock = states[variant.id, Stock]
            wanted = sum(line.quantity for order in held for line in order.lines if line.variant_id == variant.id)
            assert wanted == stock.reserved <= stock.on_hand == 20
        assert len(held) < len(orders)
