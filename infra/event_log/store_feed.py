"""A context's log read straight from its table, as a consumer's feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from pydantic import ValidationError

from domain.event import Event, NewerSchema, UnknownEventType
from domain.ids import slice_of
from infra.event_log.log import KeyStore, Pool
from infra.event_log.mapper import EventMapper, owner_of
from infra.event_log.wakeups import Wakeups
from infra.keys import KeyNotLoaded
from projections.feed import Batch, Recorded, Unreadable
from projections.pool import connected

# One statement, hence one snapshot: head and incarnation belong to these very events.
READ: Final = """
SELECT i.id, h.head, e.*
FROM (SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1) AS i
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM {schema}.stored_events) AS h
LEFT JOIN LATERAL (
    SELECT notification_id, originator_id, originator_version, topic, state, event_id, recorded_at, correlation_id,
        causation_id, actor, traceparent
    FROM {schema}.stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT %s
) AS e ON true
ORDER BY e.notification_id
"""


class StoreFeed:
    """Reads in order of position. Since positions have no gaps and never appear late, a floor is all it takes."""

    def __init__(self, pool: Pool, context: str, keys: KeyStore, wakeups: Wakeups) -> None:
        self._pool = pool
        self._context = context
        self._keys = keys
        self._mapper = EventMapper(keys)
        self._wakeups = wakeups
        self._read = READ.format(schema=context)

    @property
    def context(self) -> str:
        return self._context

    async def read(self, after: int, limit: int) -> Batch:
        """Raises psycopg.Error or PoolTimeout when the database is away, UnknownKey and WrongMasterKey."""
        async with connected(self._pool) as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(self._read, [after, limit])
            rows = await cursor.fetchall()
        incarnation, head = rows[0][:2]
        events = [row[2:] for row in rows if row[2] is not None]
        await self._keys.prefetch({owner for row in events if (owner := owner_of(row[4]))})
        recorded = [self._recorded(row) for row in events]
        return Batch(recorded, incarnation, recorded[-1].position if recorded else after, head)

    async def wait(self, after: int, timeout: float) -> None:
        await self._wakeups.wait(self._context, after, timeout)

    def _recorded(self, row: Sequence[Any]) -> Recorded:
        position, id, version, topic, state, event_id, recorded_at, correlation, causation, actor, traceparent = row
        return Recorded(
            self._event(id, version, topic, state, recorded_at),
            position,
            slice_of(id),
            event_id,
            recorded_at,
            correlation or "",
            causation,
            actor or "",
            traceparent,
        )

    def _event(self, id: UUID, version: int, topic: str, state: bytes, recorded_at: datetime) -> Event:
        try:
            return self._mapper.decode(id, version, topic, state)
        except KeyNotLoaded:
            raise  # it was prefetched a moment ago: the caller reads again
        except _UNREADABLE as error:
            reason = f"{type(error).__name__}: {error}"
            return Unreadable(
                originator_id=id, originator_version=version, timestamp=recorded_at, topic=topic, reason=reason
            )


_UNREADABLE: Final = (UnknownEventType, NewerSchema, ValidationError, InvalidTag, ValueError, KeyError, TypeError)
