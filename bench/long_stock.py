"""A stock with a long life, made by the database itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg

from bench.server import NoKeys
from domain.event import Event
from domain.ids import ProductId, derive
from domain.products.events import StockAdjusted, StockOpened, StockReceived
from domain.products.value import AdjustReason
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate

STOCK: Final = derive("bench", "a stock with a long life")
AT: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

GENERATE: Final = """
INSERT INTO products.stored_events (originator_id, originator_version, topic, state, notification_id)
SELECT %(id)s, v, topics[1 + v %% 2], states[1 + v %% 2], h.head + v - %(after)s
FROM generate_series(%(after)s + 1, %(upto)s::bigint) AS v
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM products.stored_events) AS h
CROSS JOIN (SELECT %(topics)s::text[] AS topics, %(states)s::bytea[] AS states) AS e
ORDER BY v
"""


async def long_stock(database: str, length: int, id: UUID = STOCK) -> int:
    """A stream of so many events: opened, then 3 received and 2 lost in turn. How many are on hand."""
    await migrate(database, ["products"])
    opened = StockOpened(originator_id=id, originator_version=1, timestamp=AT, product_id=ProductId(id))
    with psycopg.connect(database, autocommit=True) as connection:
        _generate(connection, id, 0, 1, opened, opened)
    lengthened(database, 1, length - 1, id)
    return 3 * (length // 2) - 2 * ((length - 1) // 2)


def lengthened(database: str, length: int, by: int, id: UUID = STOCK) -> None:
    """The stream of so many events goes on."""
    received = StockReceived(originator_id=id, originator_version=2, timestamp=AT, quantity=3)
    lost = StockAdjusted(originator_id=id, originator_version=3, timestamp=AT, change=-2, reason=AdjustReason.LOST)
    with psycopg.connect(database, autocommit=True) as connection:
        _generate(connection, id, length, length + by, received, lost)
        connection.execute("ANALYZE products.stored_events")


def _generate(connection: psycopg.Connection[Any], id: UUID, after: int, upto: int, even: Event, odd: Event) -> None:
    """The even and the odd versions above `after`; what is stored of an event does not say which version it is."""
    mapper = EventMapper(NoKeys())
    about = {"topics": [even.TOPIC, odd.TOPIC], "states": [mapper.encode(even), mapper.encode(odd)]}
    connection.execute(GENERATE, {"id": id, "after": after, "upto": upto, **about})
