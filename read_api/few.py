"""What one request may have of the connections that all share: so many at a time, of read models and logs together."""

from __future__ import annotations

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from projections.feed import Recorded
from projections.history import Stream
from projections.pool import Connection, Pool

AT_ONCE: Final = 3
"""Of the eight that a pool has, unless set otherwise. Nobody who has a connection waits for another."""


def turns() -> Semaphore:
    """Of one request."""
    return Semaphore(AT_ONCE)


def few(pool: Pool | Few, turns: Semaphore) -> Pool:
    """The pool with its turns; one that has turns stays as it is."""
    # Who reads uses nothing else of a pool.
    return cast("Pool", pool if isinstance(pool, Few) else Few(pool, turns))


@dataclass(frozen=True, slots=True)
class Few:
    _pool: Pool
    _turns: Semaphore

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:
        async with self._turns, self._pool.connection(timeout) as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class InTurn:
    """A log."""

    _log: Stream
    _turns: Semaphore

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]:
        async with self._turns:
            return await self._log.stream(id, after_version, upto_position, limit)

    async def position_at(self, at: datetime) -> int:
        async with self._turns:
            return await self._log.position_at(at)
