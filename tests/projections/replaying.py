"""A log of orders, the read models on it, and what replays them: on one database, as a process would have it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from projections import generations
from projections.build import BATCH, Builder
from projections.feed import Feed
from projections.generations import Generation, State
from projections.model import Model
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.replay import Replays
from projections.schema import prepare
from projections.workers import Workers
from tests.infra.stored import SameKey
from tests.projections.stories import STORIES, mixed

COPY = """
COPY orders.stored_events (originator_id, originator_version, topic, state, notification_id, recorded_at,
    correlation_id, actor) FROM STDIN
"""


class Shop:
    """`models` as this release has them."""

    def __init__(
        self, database: str, pool: Pool, wakeups: Wakeups, models: tuple[Model, ...], batch: int = BATCH
    ) -> None:
        self.database = database
        self.pool = pool
        self.models = models
        self.log = LogReader(pool, "orders", SameKey())
        self.replays = Replays(pool, models, {"orders": self.log})
        self.builder = Builder(database, pool, {m.name: m for m in models}, self._part, batch=batch)
        self._wakeups = wakeups
        self.mapper = EventMapper(SameKey())
        self.head = 0

    def workers(self) -> Workers:
        return Workers(self.pool, self.models, self.feed_of, self.replays, self.builder.build)

    @asynccontextmanager
    async def feed_of(self, consumer: str, context: str) -> AsyncIterator[Feed]:
        yield StoreFeed(self.log, self._wakeups)

    async def generations(self) -> list[Generation]:
        async with self.pool.connection() as connection:
            return await generations.listed(connection, "orders")

    async def append(self, events: Iterable[Event], at: datetime | None = None) -> int:
        """At the end of the log, as if recorded `at`; gives the head."""
        async with await AsyncConnection.connect(self.database) as connection:
            cursor = connection.cursor()
            async with cursor.copy(COPY) as copy:
                for event in events:
                    self.head += 1
                    state = self.mapper.encode(event)
                    row = (event.originator_id, event.originator_version, event.TOPIC, state, self.head)
                    await copy.write_row((*row, at or event.timestamp, "test", "anonymous"))
        self._wakeups.written("orders", self.head)
        return self.head

    def _part(self, context: str, slices: Collection[int], upto: int) -> Feed:
        return StoreFeed(self.log, self._wakeups, slices, upto=upto)


@asynccontextmanager
async def a_shop(database: str, *models: Model, batch: int = BATCH) -> AsyncIterator[Shop]:
    """`batch` events are built at once."""
    models = models or (ORDERS,)
    await migrate(database, ["orders"])
    await prepare(database, models)
    async with AsyncConnectionPool(database, min_size=1, max_size=12, open=False) as pool:
        wakeups = Wakeups(database, pool, ["orders"])
        wakeups.open()
        try:
            yield Shop(database, pool, wakeups, models, batch)
        finally:
            await wakeups.close()


def some_events(orders: int, dice: Random, *, first: int = 0) -> list[Event]:
    """Of so many orders, numbered from `first` on."""
    stories = [dice.choice(STORIES) for _ in range(orders)]
    return mixed([dice.randrange(orders) for _ in range(4 * orders)], stories, first=first)


async def rows(pool: Pool, schema: str) -> dict[UUID, tuple[object, ...]]:
    """The orders of a generation, or of `reads`, whole."""
    async with pool.connection() as connection:
        found = await (await connection.execute(f"SELECT id, t::text FROM {schema}.orders t")).fetchall()
    return {id: tuple(rest) for id, *rest in found}


@asynccontextmanager
async def working(shop: Shop, *, processes: int = 1) -> AsyncIterator[None]:
    """Workers follow and build, as those of so many processes."""
    tasks = [asyncio.create_task(shop.workers().run()) for _ in range(processes)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(condition: Callable[[], Awaitable[object]], within: float = 60) -> None:
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.02)


async def reached(shop: Shop, generation: Generation, status: State, within: float = 60) -> Generation:
    """The generation as it is once it has this status."""

    async def has() -> bool:
        return (await shop.replays.generation(generation.model, generation.generation)).status is status

    await eventually(has, within)
    return await shop.replays.generation(generation.model, generation.generation)


async def caught_up(shop: Shop, generation: Generation, within: float = 60) -> None:
    async def at_head() -> bool:
        async with shop.pool.connection() as connection:
            checkpoint = await generations.checkpoint_of(connection, generation, "orders")
        return checkpoint is not None and checkpoint.floor == (await shop.log.head())[1]

    await eventually(at_head, within)


async def live(shop: Shop, model: str = "orders") -> Generation:
    async with shop.pool.connection() as connection:
        found = await generations.live(connection, model)
    assert found is not None
    return found
