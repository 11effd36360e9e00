"""How long each step usually takes: of the newest sagas of a definition that were done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import Final

from domain.sagas.events import Course
from projections.pool import Pool, connected
from projections.sagas.queries import Usual as Takes
from projections.sagas.queries import usual
from sagas.dashboard.port import Log
from sagas.runs import runs

LOOKED_AT: Final = 30
FRESH: Final = 30.0  # seconds

NEWEST_DONE: Final = """
SELECT id FROM reads.sagas WHERE process = %s AND definition = %s AND outcome = 'DONE' ORDER BY started_at DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds by step, as half of the looked-at took at most; the whole likewise."""

    looked_at: int
    steps: dict[str, float]
    whole: float | None


class Healthy:
    """Remembers for a while what it found out."""

    def __init__(self, pool: Pool, log: Log) -> None:
        self._pool = pool
        self._log = log
        self._known: dict[tuple[str, int], tuple[float, Usual]] = {}
        self._takes: Takes = {}
        self._takes_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def takes(self) -> Takes:
        """How long each process takes."""
        if monotonic() - self._takes_at > FRESH:
            self._takes_at, self._takes = monotonic(), await usual(self._pool)
        return self._takes

    async def of(self, process: str, definition: int) -> Usual:
        async with self._one_at_a_time:
            at, known = self._known.get((process, definition), (float("-inf"), Usual(0, {}, None)))
            if monotonic() - at > FRESH:
                known = await self._look(process, definition)
                self._known[process, definition] = monotonic(), known
        return known

    async def _look(self, process: str, definition: int) -> Usual:
        async with connected(self._pool) as connection:
            found = await (await connection.execute(NEWEST_DONE, [process, definition, LOOKED_AT])).fetchall()
        streams = [stream for (id,) in found if (stream := await self._log.stream(id))]  # a restored log may lack one
        took: dict[str, list[float]] = {}
        for stream in streams:
            for run in runs(stream):
                if run.course is Course.FORWARD and run.took is not None:
                    took.setdefault(run.step, []).append(run.took)
        whole = [(stream[-1].event.timestamp - stream[0].event.timestamp).total_seconds() for stream in streams]
        return Usual(len(streams), {step: median(times) for step, times in took.items()}, middle(whole))


def middle(times: Iterable[float]) -> float | None:
    found = list(times)
    return median(found) if found else None
