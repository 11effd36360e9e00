"""At which version the sagas are that somebody looks at: one statement for all open pages, when sagas have moved."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final
from uuid import UUID

from projections.pool import Pool, connected

KEPT: Final = 600.0  # seconds for which a saga is looked up after somebody asked for it

VERSIONS: Final = "SELECT id, version FROM reads.sagas WHERE id = ANY(%s)"


class Versions:
    def __init__(self, pool: Pool, clock: Callable[[], float] = monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._asked: dict[UUID, float] = {}

    def watch(self, id: UUID) -> None:
        """It is among those looked up from now on."""
        self._asked[id] = self._clock()

    async def look(self) -> dict[UUID, int]:
        """Of all that are watched."""
        until = self._clock() - KEPT
        self._asked = {id: at for id, at in self._asked.items() if at > until}
        async with connected(self._pool) as connection:
            return dict(await (await connection.execute(VERSIONS, [list(self._asked)])).fetchall())
