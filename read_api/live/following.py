"""Somebody who follows rows: what they have been told, and what they have still to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Final, Generic
from uuid import UUID

from projections.table import R
from read_api.live.marks import Seen

MOST: Final = 1_000
"""Things that one subscription follows; of a longer list the newest. Each is remembered: it is a bound of memory."""
FIRST: Final = 100
"""Of a list the newest so many are told as they are when somebody begins, and as many are named in a cursor."""


class Follower(Generic[R]):
    """Takes rows as they change. Of each thing only the newest that was not taken yet is kept, however slow one is.

    `seen` are the versions that are known already; nothing of that version or an earlier one is offered again. Of a
    list they do not name all that was told: `since` is from when on the others may have changed unseen.
    """

    def __init__(self, seen: Seen, since: datetime | None = None) -> None:
        self.told: dict[UUID, int] = dict(seen)
        self._since = since
        self._begun = False
        self._given = dict(seen)
        self._pending: dict[UUID, R] = {}
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def lacks(self, id: UUID, version: int) -> bool:
        return version > self._given.get(id, 0)

    def wants(self, id: UUID, version: int, place: int, updated_at: datetime) -> bool:
        """Of what is number `place` in a list. What is there from the beginning and is not told is only remembered."""
        if self._begun or id in self._given or place <= FIRST or (self._since and updated_at >= self._since):
            return self.lacks(id, version)
        self._given[id] = version
        return False

    def offer(self, rows: Iterable[R]) -> None:
        """What is older than what was offered before is left out."""
        for row in rows:
            if self.lacks(row.id, row.version):
                self._given[row.id] = row.version
                self._pending[row.id] = row
                self._news.set()

    def keep(self, ids: Iterable[UUID]) -> None:
        """Only these are followed from now on; of others the newest MOST that are pending are still told."""
        self._begun = True
        listed = {*ids}
        others = [id for id in self._pending if id not in listed]
        for id in others[:-MOST]:
            del self._pending[id]
        followed = {*listed, *self._pending}
        self._given = {id: version for id, version in self._given.items() if id in followed}
        self.told = {id: version for id, version in self.told.items() if id in followed}

    @property
    def followed(self) -> list[UUID]:
        return list(self._given)

    @property
    def ended(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        self._over.set()
        self._news.set()

    async def rest(self, seconds: float) -> None:
        """Takes nothing for so long, or until the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def news(self, timeout: float) -> bool:
        """Whether there is something to tell; waits for it so many seconds, or until the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._news.wait()
        return bool(self._pending)

    def take(self) -> R:
        """What is to be told next. Raises StopIteration if there are no news."""
        id = next(iter(self._pending))
        row = self._pending.pop(id)
        self.told.pop(id, None)
        self.told[id] = row.version
        if len(self.told) > FIRST:
            del self.told[next(iter(self.told))]
        if not self._pending and not self.ended:
            self._news.clear()
        return row
