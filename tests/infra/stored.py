"""Logs written row by row, so that tests can also write what the write loop never would."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, Final
from uuid import UUID

import psycopg

from domain.event import Event
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.keys import UnknownKey
from tests.projections.stories import STORIES, mixed

INSERT: Final = """
INSERT INTO {context}.stored_events
    (originator_id, originator_version, topic, state, notification_id, correlation_id, actor)
SELECT %s, %s, %s, %s, coalesce(max(notification_id), 0) + 1, 'test', 'anonymous' FROM {context}.stored_events
"""


class SameKey:
    """One personal-data key for everybody but the `strangers`, who have none."""

    def __init__(self, *strangers: UUID) -> None:
        self._strangers = set(strangers)

    def get(self, owner: UUID) -> bytes | None:
        return b"k" * 32

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        if unknown := self._strangers.intersection(owners):
            raise UnknownKey(unknown)


def some_orders(orders: int = 12, seed: int = 1) -> list[Event]:
    random = Random(seed)
    stories = [random.choice(STORIES) for _ in range(orders)]
    return mixed([random.randrange(orders) for _ in range(5 * orders)], stories)


async def a_log(database: str, context: str = "orders", events: Sequence[Event] | None = None) -> list[Event]:
    """A log with these events, or some orders."""
    await migrate(database, [context])
    events = some_orders() if events is None else list(events)
    append(database, context, events)
    return events


def append(database: str, context: str, events: Iterable[Event]) -> None:
    mapper = EventMapper(SameKey())
    with psycopg.connect(database) as connection:
        connection.cursor().executemany(
            INSERT.format(context=context).encode(),
            [(e.originator_id, e.originator_version, e.TOPIC, mapper.encode(e)) for e in events],
        )


def execute(database: str, query: str, *params: Any) -> list[Any]:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), params)
        return cursor.fetchall() if cursor.description else []
