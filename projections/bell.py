"""Tells other processes that rows have changed, by NOTIFY. Who waits for it has an Alarm on the same channel."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from projections.pool import Pool, connected

CHANNEL: Final = "chobo_reads"

DEBOUNCE: Final = 0.05  # seconds between two notifications
AGAIN: Final = 1.0  # seconds after one that could not be sent; those who wait look by themselves meanwhile

# Not inside what changes the rows: there every commit would wait for the queue of notifications.
NOTIFY: Final = "SELECT pg_notify(%s, '') FROM set_config('synchronous_commit', 'off', true)"

log = logging.getLogger(__name__)


class Bell:
    """Rung as often as one likes, it is heard elsewhere at most so often as DEBOUNCE allows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            await asyncio.sleep(DEBOUNCE if await self._sent() else AGAIN)

    async def _sent(self) -> bool:
        try:
            async with connected(self._pool) as connection:
                await connection.execute(NOTIFY, [CHANNEL])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.warning("nobody was told that rows have changed: %s", error)
            return False
        return True
