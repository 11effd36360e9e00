"""Logs and the read models folded from them, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from domain.ids import CategoryId, derive
from domain.products.categories import TREE
from domain.products.events import CategoryCreated, CategoryMoved, CategoryRenamed
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.verify.finding import Finding
from infra.verify.mending import Mending
from infra.verify.models import ModelCheck
from projections.consumer import Consumer
from projections.generations import Generation, listed
from projections.model import Model
from projections.orders.projector import ORDERS
from projections.parked import Parked, Wanted
from projections.parked import listed as parked_of
from projections.pool import Pool, connected
from projections.products.projector import PRODUCTS
from projections.sales.projector import SALES
from projections.schema import prepare
from projections.sink import ModelSink, model_sinks
from projections.unparking import Retries
from tests.domain.payments import samples as pay
from tests.infra.stored import SameKey, a_log, execute, some_orders
from tests.projections.stories import told
from tests.projections.test_consumer import caught_up
from tests.specification import AT

NOTED = """
CREATE TABLE reads.operations AS SELECT 'parked.discard' AS kind, 'DONE' AS status, %s::text AS target
"""
MODELS: Sequence[Model] = (ORDERS, PRODUCTS, SALES)
TEA, CUPS = (CategoryId(derive("test", name)) for name in ("tea", "cups"))


def some_categories() -> list[Event]:
    def at(version: int) -> dict[str, Any]:
        return {"originator_id": TREE, "originator_version": version, "timestamp": AT}

    return [
        CategoryCreated(**at(1), category_id=TEA, name="Tea", parent_id=None),
        CategoryCreated(**at(2), category_id=CUPS, name="Cups", parent_id=None),
        CategoryMoved(**at(3), category_id=CUPS, parent_id=TEA),
        CategoryRenamed(**at(4), category_id=TEA, name="All about tea"),
    ]


def some_payments(count: int = 5) -> list[Event]:
    stories = [
        (pay.opened,),
        (pay.opened, pay.created),
        pay.CAPTURED,
        (*pay.CAPTURED, pay.refund_requested, pay.refunded),
    ]
    return [e for n in range(count) for e in told(stories[n % len(stories)], derive("test payment", str(n)))]


@dataclass
class Standing:
    database: str
    pool: Pool
    keys: SameKey = field(default_factory=SameKey)

    async def follow(self, models: Iterable[Model] = MODELS) -> None:
        """Every consumer up to the end of its log."""
        for model in models:
            for context in model.contexts:
                await caught_up(self.consumer(model, context))

    def reader(self, context: str) -> LogReader:
        return LogReader(self.pool, context, self.keys)

    def consumer(self, model: Model, context: str, generation: int = 1) -> Consumer:
        feed = StoreFeed(self.reader(context), Wakeups(self.database, self.pool, [context]))
        return Consumer(ModelSink(model, generation), feed, self.pool)

    async def generation(self, model: Model) -> Generation:
        async with connected(self.pool) as connection:
            return (await listed(connection, model.name))[-1]

    async def check(self, model: Model, *, deep: bool = False, log: str | None = None) -> ModelCheck:
        """`log`: where the logs are, if they are not here."""
        logs = dict.fromkeys(model.contexts, log or self.database)
        return ModelCheck(self.database, logs, model, await self.generation(model), self.keys, deep=deep)

    async def mended(self, model: Model) -> list[Finding]:
        """What was found, and repaired where that could be done."""
        generation = await self.generation(model)
        logs = {context: self.reader(context) for context in model.contexts}
        mend = Mending(self.pool, logs, model, generation).mend
        conninfos = dict.fromkeys(model.contexts, self.database)
        check = ModelCheck(self.database, conninfos, model, generation, self.keys, deep=True, mend=mend)
        return [finding async for finding in check.findings()]

    async def parked(self, model: Model, sequence: UUID) -> tuple[Retries, Parked]:
        consumer = (await self.generation(model)).name
        async with connected(self.pool) as connection:
            (parked,) = await parked_of(connection, Wanted(consumer, sequence=sequence))
        return Retries(self.pool, model_sinks([model]), {parked.context: self.reader(parked.context)}), parked

    async def retry(self, model: Model, sequence: UUID) -> None:
        retries, parked = await self.parked(model, sequence)
        await retries.retry(parked.id)

    async def discard(self, model: Model, sequence: UUID) -> None:
        """As an operator does it: what comes of it, and what is noted of it."""
        retries, parked = await self.parked(model, sequence)
        await retries.discard(parked.id, parked.event_id)
        execute(self.database, "DROP VIEW reads.operations")  # that model is not followed here
        execute(self.database, NOTED, parked.id)

    async def found(self, model: Model, *, deep: bool = False) -> list[Finding]:
        return [finding async for finding in (await self.check(model, deep=deep)).findings()]


@asynccontextmanager
async def standing(database: str) -> AsyncIterator[Standing]:
    """Orders, categories and payments, and the read models that have seen all of it."""
    await a_log(database, "orders", some_orders())
    await a_log(database, "products", some_categories())
    await a_log(database, "payments", some_payments())
    await prepare(database, MODELS)
    async with AsyncConnectionPool(database, min_size=1, max_size=8, open=False) as pool:
        shop = Standing(database, pool)
        await shop.follow()
        yield shop
