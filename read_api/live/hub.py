"""One for a process: looks for changed rows when it is told that there are some, for all who follow them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, Final, Protocol

import psycopg
from psycopg_pool import PoolTimeout

from projections.pool import Pool
from read_api.errors import TooManyStreams
from read_api.live.following import Follower
from read_api.live.marks import Seen
from read_api.live.sources import Source, by_key

POLL: Final = 2.0  # seconds; a net under the wake-ups, while there is somebody to look for
REST: Final = 0.02  # seconds between two looks

log = logging.getLogger(__name__)


class News(Protocol):
    """Rings when rows have changed."""

    def ring(self) -> None: ...
    async def wait(self, seconds: float) -> None: ...


class Live:
    """`most` is how many streams somebody may have open at this process at once."""

    def __init__(self, pool: Pool, news: News, *, most: int = 20) -> None:
        self._pool = pool
        self._news = news
        self._most = most
        self._open: Counter[Hashable] = Counter()
        self._followers: dict[Follower[Any], tuple[Source, tuple[Hashable, ...]]] = {}
        self._somebody = asyncio.Event()
        self._stopped = False

    @property
    def most(self) -> int:
        return self._most

    @property
    def followers(self) -> int:
        return len(self._followers)

    @property
    def places_taken(self) -> int:
        return self._open.total()

    async def run(self) -> None:
        """Until cancelled; then everybody's stream has ended."""
        try:
            while True:
                await self._somebody.wait()
                await self._news.wait(POLL)
                await self.look()
                await asyncio.sleep(REST)
        finally:
            self.stop()

    def stop(self) -> None:
        """Every stream ends, and no other begins."""
        self._stopped = True
        for follower in self._followers:
            follower.end()

    async def look(self) -> None:
        """Offers what has changed to those who follow it."""
        followed = [(source, key, f) for f, (source, keys) in self._followers.items() for key in keys]
        for source in {source for source, _, _ in followed}:
            mine = by_key((key, follower) for of, key, follower in followed if of is source)
            try:
                await source.look(self._pool, mine)
            except (psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("changed rows were not looked for: %s", error)
            except Exception:  # whatever it is, the others are told, and these the next time
                log.exception("changed rows could not be told")

    @contextmanager
    def place(self, principal: Hashable) -> Iterator[None]:
        """One of the streams that somebody may have. Raises TooManyStreams."""
        if self._open[principal] >= self._most:
            raise TooManyStreams(self._most)
        self._open[principal] += 1
        try:
            yield
        finally:
            self._open[principal] -= 1
            if not self._open[principal]:
                del self._open[principal]

    @asynccontextmanager
    async def following(
        self,
        source: Source,
        keys: Iterable[Hashable],
        seen: Seen,
        principal: Hashable,
        since: datetime | None = None,
    ) -> AsyncIterator[Follower[Any]]:
        """What there is comes first, then what changes. Raises TooManyStreams."""
        with self.place(principal):
            follower: Follower[Any] = Follower(seen, since)
            if self._stopped:
                follower.end()
            self._followers[follower] = source, tuple(keys)
            self._somebody.set()
            self._news.ring()
            try:
                yield follower
            finally:
                del self._followers[follower]
                if not self._followers:
                    self._somebody.clear()
