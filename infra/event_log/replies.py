"""Stored replies whose time is over are deleted: clients' after seven days, a saga's once it has ended."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from infra.event_log.log import Pool

EVERY: Final = 3600.0  # seconds
AT_ONCE: Final = 5_000  # rows of one statement, so that none of them holds locks for long

DELETE: Final = (
    "DELETE FROM {schema}.replies WHERE key IN"
    " (SELECT key FROM {schema}.replies WHERE keep_until < clock_timestamp() LIMIT {limit})"
)

log = logging.getLogger(__name__)


async def prune(pool: Pool, context: str) -> int:
    """How many replies were deleted. Raises psycopg.Error, PoolTimeout."""
    deleted = 0
    while True:
        async with pool.connection() as connection:
            cursor = await connection.execute(DELETE.format(schema=context, limit=AT_ONCE).encode())
        deleted += cursor.rowcount
        if cursor.rowcount < AT_ONCE:
            return deleted


async def keep_pruning(pool: Pool, context: str) -> None:
    """Until cancelled. Any number of processes may do it."""
    while True:
        try:
            if deleted := await prune(pool, context):
                log.info("%d replies of %s had served their time", deleted, context)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("replies of %s are not pruned: %s", context, error)
        await asyncio.sleep(EVERY)
