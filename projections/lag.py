"""How far consumers are behind their logs: events and seconds, as a whole and by slice, whatever feeds them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import PoolTimeout

from domain.ids import SLICES
from projections.checkpoint import Checkpoint, restored
from projections.pool import Connection, Pool, connected

EVERY: Final = 2.0  # seconds between measurements
LOCK: Final = 0x6368_6F62_6C  # 'chobl': one process measures at a time

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Behind:
    """Events of a log that a consumer has not seen, and when the oldest of them was recorded."""

    events: int
    since: datetime | None = None
    slices: Mapping[int, int] = field(default_factory=dict)


class Log(Protocol):
    async def behind(self, checkpoint: Checkpoint) -> Behind: ...


@dataclass(frozen=True, slots=True)
class Follower:
    """A consumer of a context."""

    consumer: str
    context: str
    checkpoint: Checkpoint


ALL: Final = """
SELECT consumer, context, incarnation, floor, coalesce(
    (SELECT json_object_agg(slice, position) FROM projections.slice_checkpoints s
      WHERE (s.consumer, s.context) = (c.consumer, c.context)), '{}')
FROM projections.checkpoints c
ORDER BY consumer, context
"""

STANDINGS: Final = """
SELECT g.model, g.generation, g.status AS state, g.until, g.replay, g.ends,
    c.consumer, c.context, c.incarnation, c.floor, c.status, c.reason,
    coalesce(l.events, greatest(c.head - c.floor, 0)) AS events,
    CASE WHEN coalesce(l.events, greatest(c.head - c.floor, 0)) = 0 THEN 0
        ELSE extract(epoch FROM clock_timestamp() - l.since) END::float8 AS seconds,
    coalesce(l.slices, '{}') AS slices, l.measured_at,
    coalesce((SELECT json_object_agg(slice, position) FROM projections.slice_checkpoints s
      WHERE (s.consumer, s.context) = (c.consumer, c.context)), '{}') AS positions,
    (SELECT count(*) FROM projections.parked p WHERE (p.consumer, p.context) = (c.consumer, c.context)) AS parked
FROM projections.generations g
JOIN projections.checkpoints c ON c.consumer = g.model || '@' || g.generation
LEFT JOIN projections.lag l ON (l.consumer, l.context) = (c.consumer, c.context)
WHERE g.status IN ('BUILDING', 'READY', 'LIVE', 'KEPT') AND g.model = coalesce(%s, g.model)
ORDER BY g.model, g.generation, c.context
"""

SAVE: Final = """
INSERT INTO projections.lag (consumer, context, events, since, slices)
SELECT c.consumer, c.context, %(events)s, %(since)s, %(slices)s FROM projections.checkpoints c
WHERE (consumer, context) = (%(consumer)s, %(context)s)
ON CONFLICT (consumer, context) DO UPDATE SET (events, since, slices, measured_at)
    = (excluded.events, excluded.since, excluded.slices, clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A generation in one of its contexts, as it stood when it was last measured.

    `events` and `seconds` (the age of the oldest of them) are missing; for a model as of a moment, what is still to be
    built. `done` of `total` events are built straight from the log, where it is or was built so.
    """

    model: str
    generation: int
    state: str
    until: str | None
    replay: UUID
    context: str
    floor: int
    events: int
    seconds: float | None
    slices: Mapping[int, int]
    measured_at: datetime | None
    status: str
    reason: str | None
    parked: int
    done: int
    total: int | None

    @property
    def name(self) -> str:
        return f"{self.model}@{self.generation}"


async def standings(connection: Connection, model: str | None = None) -> list[Standing]:
    """Every generation that has tables, by model, generation and context."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(STANDINGS, [model])
    return [_standing(row) for row in await cursor.fetchall()]


def _standing(row: dict[str, Any]) -> Standing:
    checkpoint = restored(row["incarnation"], row["floor"], row["positions"])
    total = None if row["ends"] is None else row["ends"].get(row["context"])
    done = checkpoint.floor if total is None else _done(checkpoint, total)
    missing, seconds = row["events"], row["seconds"]
    if row["until"] is not None:  # nothing beyond it is wanted
        missing, seconds = max(0, (total or 0) - done), None
    return Standing(
        row["model"],
        row["generation"],
        row["state"],
        row["until"],
        row["replay"],
        row["context"],
        checkpoint.floor,
        missing,
        seconds,
        {int(slice): events for slice, events in row["slices"].items()},
        row["measured_at"],
        row["status"],
        row["reason"],
        row["parked"],
        done,
        total,
    )


def _done(checkpoint: Checkpoint, end: int) -> int:
    """Events up to `end` that are applied, taking slices to be equally full."""
    return sum(min(checkpoint.of(slice), end) for slice in range(SLICES)) // SLICES


async def measured(pool: Pool, logs: Mapping[str, Log]) -> list[tuple[Follower, Behind]]:
    """Every consumer of these logs and how far behind it is now. Raises psycopg.Error, PoolTimeout."""
    async with connected(pool) as connection:
        found = await (await connection.execute(ALL)).fetchall()
    followers = [Follower(consumer, context, restored(*columns)) for consumer, context, *columns in found]
    return [(f, await logs[f.context].behind(f.checkpoint)) for f in followers if f.context in logs]


class Meter:
    """Keeps `projections.lag` up to date. Any number of processes may have one."""

    def __init__(self, pool: Pool, logs: Mapping[str, Log]) -> None:
        self._pool = pool
        self._logs = logs

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.measure()
            except (psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("lag was not measured: %s", error)
            await asyncio.sleep(EVERY)

    async def measure(self) -> None:
        await self._save(await measured(self._pool, self._logs))

    async def _save(self, found: Sequence[tuple[Follower, Behind]]) -> None:
        """Unless another process does so at this moment."""
        async with connected(self._pool) as connection:
            free = await (await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])).fetchone()
            if not free or not free[0]:
                return
            for follower, behind in found:
                values = {"events": behind.events, "since": behind.since, "slices": Jsonb(dict(behind.slices))}
                await connection.execute(SAVE, values | {"consumer": follower.consumer, "context": follower.context})
