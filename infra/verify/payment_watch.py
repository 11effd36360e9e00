"""The background comparison of payments with the gateway and with orders, by one process at a time.

What the gateway knows and we do not is recorded at once, as a webhook would have been: one that was lost loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from commands.log import Unavailable
from commands.reply import OutcomeUnknown, Overloaded
from infra.verify.finding import Code
from infra.verify.payments import PaymentCheck

LOCK: Final = 0x70617973  # of the session that compares; any number that nobody else takes
AWAY: Final = (psycopg.Error, PoolTimeout, OSError, Unavailable, Overloaded, OutcomeUnknown)

log = logging.getLogger(__name__)


class PaymentWatch:
    """`found` is what the last comparison of this process came to and nobody mended."""

    def __init__(
        self, conninfo: str, check: Callable[[], PaymentCheck], every: float, dice: Random | None = None
    ) -> None:
        """`every` so many seconds, the first time after about that."""
        self.found: Counter[Code] = Counter()
        self._conninfo = conninfo
        self._check = check
        self._every = every
        self._dice = dice or Random()  # noqa: S311  # only keeps processes apart

    async def run(self) -> None:
        """Until cancelled. While a database is away it waits."""
        while True:
            await asyncio.sleep(self._every * (1 - self._dice.random() / 4))
            try:
                await self.compare()
            except AWAY as error:
                log.warning("payments are not compared at present: %s", error)

    async def compare(self) -> bool:
        """Once; whether it was our turn. What is found is logged, each thing in a line."""
        async with self._turn() as ours:
            if not ours:
                self.found = Counter()
                return False
            found: Counter[Code] = Counter()
            async for finding in self._check().findings():
                level = logging.ERROR if finding.wrong else logging.WARNING
                log.log(level, "%s", finding.told())
                found[finding.code] += finding.wrong
            self.found = +found
            return True

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[bool]:
        """A connection of its own: the lock goes with it."""
        async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            row = await cursor.fetchone()
            yield bool(row and row[0])
