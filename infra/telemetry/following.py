"""How far the consumers are and what they have parked, as the databases know it, whichever process does the work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from infra.telemetry.metrics import Probe, Sample
from projections.pool import Pool, connected

STANDING: Final = """
SELECT c.consumer, c.context, c.status, coalesce(l.events, greatest(c.head - c.floor, 0)),
    CASE WHEN l.events > 0 THEN extract(epoch FROM clock_timestamp() - l.since) ELSE 0 END::float8,
    count(p.id), coalesce(sum(p.waiting), 0)::bigint
FROM projections.checkpoints c
LEFT JOIN projections.lag l ON (l.consumer, l.context) = (c.consumer, c.context)
LEFT JOIN projections.parked p ON (p.consumer, p.context) = (c.consumer, c.context)
GROUP BY c.consumer, c.context, l.consumer, l.context
ORDER BY c.consumer, c.context
"""


def consumers(reads: Pool) -> Probe:
    async def look() -> Iterator[Sample]:
        async with connected(reads) as connection:
            rows = await (await connection.execute(STANDING)).fetchall()
        return (sample for row in rows for sample in of_consumer(*row))

    return look


def of_consumer(
    consumer: str, context: str, status: str, events: int, seconds: float, parked: int, waiting: int
) -> Iterator[Sample]:
    who: Any = consumer, context
    yield Sample("chobo_consumer_status", (*who, status), 1)
    yield Sample("chobo_consumer_behind_events", who, events)
    yield Sample("chobo_consumer_behind_seconds", who, seconds)
    yield Sample("chobo_parked_sequences", who, parked)
    yield Sample("chobo_parked_waiting_events", who, waiting)
