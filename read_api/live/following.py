"""Somebody who follows rows: what they have been told, and what they have still to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Generic
from uuid import UUID

from projections.table import R
from read_api.live.marks import Seen

MOST: Final = 100
"""Things that one subscription follows; of a longer list the newest."""


class Follower(Generic[R]):
    """Takes rows as they change. Of each thing only the newest that was not taken yet is kept, however slow one is.

    `seen` are the versions that are known already; nothing of that version or an earlier one is offered again.
    """

    def __init__(self, seen: Seen) -> None:
        self.told: dict[UUID, int] = dict(seen)
        self._given = dict(seen)
        self._pending: dict[UUID, R] = {}
        self._news = asyncio.Event()
        self.ended = False

    def lacks(self, id: UUID, version: int) -> bool:
        return version > self._given.get(id, 0)

    def offer(self, rows: Iterable[R]) -> None:
        """What is older than what was offered before is left out."""
        for row in rows:
            if self.lacks(row.id, row.version):
                self._given[row.id] = row.version
                self._pending[row.id] = row
                self._news.set()

    def keep(self, ids: Iterable[UUID]) -> None:
        """Only these are followed from now on; what is pending of others is still told."""
        followed = {*ids, *self._pending}
        self._given = {id: version for id, version in self._given.items() if id in followed}
        self.told = {id: version for id, version in self.told.items() if id in followed}

    @property
    def followed(self) -> list[UUID]:
        return list(self._given)

    def end(self) -> None:
        self.ended = True
        self._news.set()

    async def next(self, timeout: float) -> R | None:
        """The next row that changed. None after so many seconds without, and at the end."""
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return None
        return self._taken() if self._pending else None

    def _taken(self) -> R:
        id = next(iter(self._pending))
        row = self._pending.pop(id)
        self.told[id] = row.version
        if not self._pending and not self.ended:
            self._news.clear()
        return row
