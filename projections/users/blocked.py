"""Users whose access tokens must stop working although they have not expired yet."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg import Error
from psycopg_pool import PoolTimeout

from projections.pool import Pool, connected

log: Final = logging.getLogger("chobo.users.blocked")

EVERY: Final = 1.0  # seconds
SLACK: Final = timedelta(minutes=10)

BLOCKED: Final = "SELECT id FROM reads.users WHERE blocked_at > now() - %s"


class Blocked:
    """Who was suspended or erased no longer ago than an access token lives; asked again each second.

    While the read database is away the last answer stands.
    """

    def __init__(self, pool: Pool, token_life: timedelta) -> None:
        self._pool = pool
        self._since = token_life + SLACK
        self._ids: frozenset[UUID] = frozenset()

    def __contains__(self, user_id: UUID | None) -> bool:
        return user_id in self._ids

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.look()
            except (Error, PoolTimeout) as error:
                log.warning("blocked users are not known anew: %s", error)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Raises psycopg.Error, PoolTimeout."""
        async with connected(self._pool) as connection:
            cursor = await connection.execute(BLOCKED, [self._since])
            self._ids = frozenset(id for (id,) in await cursor.fetchall())
