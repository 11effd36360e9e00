"""How far a log has been published: what the relay keeps beside it, and consumers of its topic look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from infra.event_log.log import Pool
from projections.pool import connected

READ: Final = """
SELECT r.incarnation, r.position, r.lasts,
    (SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1),
    (SELECT coalesce(max(notification_id), 0) FROM {schema}.stored_events)
FROM {schema}.relay r
"""


@dataclass(frozen=True, slots=True)
class Published:
    """Up to `position` everything of this incarnation is on the topic; `lasts` are the slices' last positions there.

    `log` and `head` are the log's own incarnation and last position at the same moment.
    """

    incarnation: UUID
    position: int
    lasts: Mapping[int, int]
    log: UUID
    head: int

    @property
    def is_of_the_log(self) -> bool:
        """False from a change of incarnation until the relay has taken note of it."""
        return self.incarnation == self.log


async def published(pool: Pool, context: str) -> Published:
    """Raises psycopg.Error or PoolTimeout when the database is away."""
    async with connected(pool) as connection:
        cursor = await connection.execute(READ.format(schema=context))
        found = await cursor.fetchone()
    assert found is not None, "the migration that makes the table puts the row in"
    return from_row(found)


def from_row(row: tuple[Any, ...]) -> Published:
    incarnation, position, lasts, log, head = row
    return Published(incarnation, position, dict(enumerate(lasts)), log, head)
