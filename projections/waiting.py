"""Reading one's own writes: waiting, for a bounded time, until read models have seen what a token names."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from domain.token import ConsistencyToken, Seen
from projections.checkpoint import Checkpoint, restored
from projections.pool import Pool, connected

Key = tuple[str, str]  # consumer, context

POLL: Final = 0.02  # seconds between looks at checkpoints that other processes move
A_LOOK: Final = 0.5  # seconds that the first look may take, of those as well who want to wait for less
LIVE_FOR: Final = 1.0  # seconds for which it is taken as known which generations are live

# The one that readers are about to be led to counts too, from before they are: they must not find less there.
LIVE: Final = """
SELECT consumer, context, incarnation, floor, coalesce(
    (SELECT json_object_agg(slice, position) FROM projections.slice_checkpoints s
      WHERE (s.consumer, s.context) = (c.consumer, c.context)), '{}')
FROM projections.generations g
JOIN projections.checkpoints c ON c.consumer = g.model || '@' || g.generation
WHERE g.status = 'LIVE' OR g.switching_at > clock_timestamp() - interval '1 minute'
"""


@dataclass(frozen=True, slots=True)
class Waited:
    """Whether everything the token names was seen, and how long that took."""

    satisfied: bool
    ms: int


class Watch:
    """How far the live generation of every read model is.

    A consumer of this process says so at once, through `moved`; what other processes move is looked up while somebody
    waits.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._told: dict[Key, Checkpoint] = {}
        self._found: dict[Key, Checkpoint] = {}
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._news = asyncio.Event()

    def moved(self, consumer: str, context: str, checkpoint: Checkpoint) -> None:
        """A consumer of this process has committed up to this checkpoint."""
        self._told[consumer, context] = checkpoint
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, token: ConsistencyToken, timeout: float) -> Waited:
        """Waits at most `timeout` seconds until every live read model of the token's contexts covers it.

        A context that no read model follows, or a token of another incarnation of its log, is never covered.
        """
        started = monotonic()
        await self._looked(LIVE_FOR, max(timeout, A_LOOK))
        while not (satisfied := self._covers(token)) and (left := started + timeout - monotonic()) > 0:
            if not await self._news_within(min(left, POLL)):
                await self._looked(POLL / 2, left)
        return Waited(satisfied, round((monotonic() - started) * 1000))

    async def _looked(self, max_age: float, timeout: float) -> None:
        """Looks, unless that takes longer: for whoever looks already, or for a connection."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._look(max_age)

    def _covers(self, token: ConsistencyToken) -> bool:
        return all(self._context_covers(context, seen) for context, seen in token.contexts.items())

    def _context_covers(self, context: str, seen: Seen) -> bool:
        followers = [key for key in self._found if key[1] == context]
        return bool(followers) and all(self._covered(key, seen) for key in followers)

    def _covered(self, key: Key, seen: Seen) -> bool:
        told = self._told.get(key)
        return self._found[key].covers(seen) or (told is not None and told.covers(seen))

    async def _news_within(self, timeout: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):  # wait_for swallows a cancellation in Python 3.11
                return await self._news.wait()
        return False

    async def _look(self, max_age: float) -> None:
        """Looks the checkpoints up, unless that was done less than `max_age` seconds ago."""
        async with self._looking:
            if monotonic() - self._looked_at < max_age:
                return
            async with connected(self._pool) as connection:
                rows = await (await connection.execute(LIVE)).fetchall()
            self._looked_at = monotonic()
            self._found = {(consumer, context): restored(*columns) for consumer, context, *columns in rows}
