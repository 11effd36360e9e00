"""How long each step usually takes: of the newest sagas of a definition that were done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from statistics import median
from typing import Final
from uuid import UUID

from domain.sagas.events import Course
from projections.feed import Recorded
from projections.pool import Pool, connected
from projections.sagas.queries import Usual as Takes
from projections.sagas.queries import usual
from sagas.dashboard.port import Log
from sagas.dashboard.shared import Shared
from sagas.runs import runs

LOOKED_AT: Final = 30
FRESH: Final = 30.0  # seconds
MOST: Final = 1_000  # sagas of which it is known what they took

NEWEST_DONE: Final = """
SELECT id FROM reads.sagas WHERE process = %s AND definition = %s AND outcome = 'DONE' ORDER BY started_at DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds by step, as half of the looked-at took at most; the whole likewise."""

    looked_at: int
    steps: dict[str, float]
    whole: float | None


@dataclass(frozen=True, slots=True)
class Went:
    """What one healthy saga took: it has ended, so this never changes."""

    steps: Sequence[tuple[str, float]]
    whole: float


class Healthy:
    """Remembers for a while what it found out; who asks later than that gets it once more, and it is found out anew."""

    def __init__(self, pool: Pool, log: Log) -> None:
        self._pool = pool
        self._log = log
        self._shared = Shared(stale=True)
        self._went: dict[UUID, Went] = {}

    async def takes(self) -> Takes:
        """How long each process takes."""
        return await self._shared.of("takes", FRESH, lambda: usual(self._pool))

    async def of(self, process: str, definition: int) -> Usual:
        return await self._shared.of((process, definition), FRESH, lambda: self._look(process, definition))

    async def _look(self, process: str, definition: int) -> Usual:
        async with connected(self._pool) as connection:
            found = await (await connection.execute(NEWEST_DONE, [process, definition, LOOKED_AT])).fetchall()
        each = await self._each([id for (id,) in found])
        took: dict[str, list[float]] = {}
        for step, seconds in chain.from_iterable(went.steps for went in each):
            took.setdefault(step, []).append(seconds)
        return Usual(len(each), {step: median(times) for step, times in took.items()}, middle(w.whole for w in each))

    async def _each(self, ids: Sequence[UUID]) -> list[Went]:
        """What is not known yet is read at once."""
        unknown = [id for id in ids if id not in self._went]
        streams = groupby(await self._log.streams(unknown), lambda each: each.event.originator_id) if unknown else ()
        if len(self._went) > MOST:
            self._went = {id: self._went[id] for id in ids if id in self._went}
        self._went |= {id: went(list(stream)) for id, stream in streams}
        return [self._went[id] for id in ids if id in self._went]


def went(stream: Sequence[Recorded]) -> Went:
    took = [(run.step, run.took) for run in runs(stream) if run.course is Course.FORWARD and run.took is not None]
    return Went(took, (stream[-1].event.timestamp - stream[0].event.timestamp).total_seconds())


def middle(times: Iterable[float]) -> float | None:
    found = list(times)
    return median(found) if found else None
