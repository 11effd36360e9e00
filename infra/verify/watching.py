"""The background check: positions, versions and the chain of each slice, as a log grows. Nothing is decoded."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from domain.ids import slice_of
from infra.event_log.log import Pool
from infra.verify.finding import Code, Finding
from projections.pool import connected

STRETCH: Final = 2_000  # events looked at in one statement
REST: Final = 0.2  # seconds between two of them: the log has better things to do
POLL: Final = 5.0  # seconds, once the end is reached
AGAIN: Final = 600.0  # seconds after which it is all looked at again, if something was found: it may be mended

# One statement, hence one snapshot; the event before each is found in its stream's index.
READ: Final = """
SELECT i.id, h.head, r.incarnation, r.position, r.lasts, e.*
FROM (SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1) AS i
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM {schema}.stored_events) AS h
CROSS JOIN {schema}.relay AS r
LEFT JOIN LATERAL (
    SELECT n.notification_id, n.originator_id, n.originator_version, {schema}.chobo_slice(n.originator_id), (
        SELECT p.notification_id FROM {schema}.stored_events p
        WHERE p.originator_id = n.originator_id AND p.originator_version = n.originator_version - 1
    ) AS before
    FROM {schema}.stored_events n WHERE n.notification_id > %s ORDER BY n.notification_id LIMIT %s
) AS e ON true
ORDER BY e.notification_id
"""

log = logging.getLogger(__name__)


class LogWatch:
    """`checked` is the position it has come to, `found` what was wrong up to there."""

    def __init__(self, pool: Pool, context: str) -> None:
        self.context = context
        self.checked = 0
        self.found: Counter[Code] = Counter()
        self._pool = pool
        self._read = READ.format(schema=context)
        self._incarnation: UUID | None = None
        self._lasts: dict[int, int] = {}
        self._compared = 0
        self._began = 0.0
        self._at_end = False

    async def run(self) -> None:
        """Until cancelled. While the database is away it waits."""
        while True:
            try:
                grown = await self.step()
            except (psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("the log of %s is not checked at present: %s", self.context, error)
                grown = False
            await asyncio.sleep(REST if grown else POLL)

    async def step(self) -> bool:
        """Looks at the next stretch; whether there may be more. Raises psycopg.Error, PoolTimeout."""
        now = asyncio.get_running_loop().time()
        if self.found and self._at_end and now - self._began > AGAIN:
            self._begin(self._incarnation, now)
        async with connected(self._pool) as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(self._read, [self.checked, STRETCH])
            rows = await cursor.fetchall()
        incarnation, head = rows[0][:2]
        if incarnation != self._incarnation:
            self._begin(incarnation, now)
            return True
        if head < self.checked:
            self._add(Code.CUT, f"the log ends at {head}, it was at {self.checked}", head)
            self.checked = head
        events = [row[5:] for row in rows if row[5] is not None]
        self._look(events, rows[0][2:5])
        self._at_end = len(events) < STRETCH
        return not self._at_end

    def _begin(self, incarnation: UUID | None, now: float) -> None:
        self._incarnation, self._began = incarnation, now
        self.checked = 0
        self.found.clear()
        self._lasts = {}
        self._compared = 0
        self._at_end = False

    def _look(self, events: Sequence[Sequence[Any]], relay: Sequence[Any]) -> None:
        of, published, lasts = relay
        self._chain(of, published, lasts)
        for position, id, version, slice, before in events:
            if position != self.checked + 1:
                self._add(Code.POSITION_GAP, f"position {position} comes after {self.checked}", position, id)
            if (before is None) != (version == 1):
                self._add(Code.VERSION_GAP, f"version {version} has none before it", position, id)
            elif before is not None and before >= position:
                self._add(Code.OUT_OF_ORDER, f"version {version - 1} is at {before}", position, id)
            if slice != slice_of(id):
                self._add(Code.WRONG_SLICE, f"the database says slice {slice}", position, id)
            self._lasts[slice] = self.checked = position
            self._chain(of, published, lasts)

    def _chain(self, of: UUID, published: int, lasts: Sequence[int]) -> None:
        """What the relay names as `previous` next, where this has come to the relay's own place."""
        if of != self._incarnation or published != self.checked or published == self._compared:
            return
        self._compared = published
        if wrong := [n for n, last in enumerate(lasts) if last != self._lasts.get(n, 0)]:
            told = f"the relay holds other events than the log for the last ones of slices {', '.join(map(str, wrong))}"
            self._add(Code.CHAIN_BROKEN, told, published)

    def _add(self, code: Code, detail: str, position: int, stream: UUID | None = None) -> None:
        self.found[code] += 1
        log.error("%s", Finding(code, self.context, detail, stream, position).told())
