"""Wakes who waits for rows: at once within this process, by NOTIFY from others. It only shortens waiting."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

import psycopg
from psycopg import AsyncConnection, sql

AGAIN: Final = 1.0  # seconds before listening is tried again

log = logging.getLogger(__name__)


class Alarm:
    """Rings when `channel` is notified, while `run` runs."""

    def __init__(self, conninfo: str, channel: str) -> None:
        self._conninfo = conninfo
        self._channel = channel
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or has rung since the last time, at the longest so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for swallows a cancellation in Python 3.11
                await self._rung.wait()
        self._rung.clear()

    async def run(self) -> None:
        """Listens until cancelled. What came while it did not listen is found by those who wait: they wake to look."""
        while True:
            try:
                async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                    self.ring()
                    async for _ in connection.notifies():
                        self.ring()
            except (psycopg.Error, OSError) as error:
                log.warning("not listening on %s, polling instead: %s", self._channel, error)
                await asyncio.sleep(AGAIN)
