"""Buyers who place orders over HTTP, and who see in the log of sagas how their checkouts end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from bench.shop import Shop
from domain.ids import OrderId, checkout_of, new_id, payment_of
from domain.sagas.events import Outcome, SagaEnded
from infra.contexts import CONTEXTS

LONGEST: Final = 60.0  # seconds for one checkout

ENDED: Final = """
SELECT notification_id, originator_id, state FROM sagas.stored_events
WHERE notification_id > %s AND topic = %s ORDER BY notification_id
"""
HEAD: Final = "SELECT coalesce(max(notification_id), 0) FROM {}.stored_events"


def recorded(database: str) -> dict[str, int]:
    """Events by context: positions have no gaps."""
    with psycopg.connect(database) as connection:
        found = {}
        for context in CONTEXTS:
            row = connection.execute(HEAD.format(context.name)).fetchone()
            assert row is not None
            found[context.name] = row[0]
        return found


@dataclass(slots=True)
class Ends:
    """How sagas ended, seen as soon as it is committed."""

    connection: AsyncConnection[TupleRow]
    seen: int
    every: float
    waiting: dict[UUID, asyncio.Future[Outcome]] = field(default_factory=dict)

    def of(self, saga: UUID) -> asyncio.Future[Outcome]:
        """To be asked for before the order is placed."""
        return self.waiting.setdefault(saga, asyncio.get_running_loop().create_future())

    async def watch(self) -> None:
        while True:
            ended = await (await self.connection.execute(ENDED, [self.seen, SagaEnded.TOPIC])).fetchall()
            for position, saga, state in ended:
                self.seen = position
                if (waiting := self.waiting.pop(saga, None)) is not None:
                    waiting.set_result(Outcome(json.loads(state)["outcome"]))
            await asyncio.sleep(self.every)


@asynccontextmanager
async def watched(database: str, every: float) -> AsyncIterator[Ends]:
    """`every` so many seconds the log is looked at, which takes of the processors too."""
    async with await AsyncConnection.connect(database, autocommit=True) as connection, asyncio.TaskGroup() as together:
        ends = Ends(connection, recorded(database)["sagas"], every)
        watching = together.create_task(ends.watch())
        yield ends
        watching.cancel()


async def buy(shop: Shop, ends: Ends, orders: Iterator[int]) -> list[float]:
    """One checkout after another, as long as there are `orders`; the seconds that each took.

    From the POST to the end of the saga, which must be that all is done.
    """
    took = []
    for _ in orders:
        id = OrderId(new_id())
        ended, began = ends.of(checkout_of(payment_of(id))), time.perf_counter()
        await place(shop, id)
        async with asyncio.timeout(LONGEST):
            outcome = await ended
        assert outcome is Outcome.DONE, f"checkout of {id} ended {outcome}"
        took.append(time.perf_counter() - began)
    return took


async def place(shop: Shop, id: OrderId) -> None:
    """On a connection of its own: a kept one may be closed before the checkout has ended."""
    host, _, port = shop.address.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request(shop, host, id))
    head, _, said = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 20"), said


def request(shop: Shop, host: str, id: OrderId) -> bytes:
    body = json.dumps(shop.order | {"id": str(id)}).encode()
    head = (
        f"POST /v1/orders HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {shop.token}\r\nIdempotency-Key: {uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
