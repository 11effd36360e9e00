"""Connections to the read database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]
Cursor = AsyncCursor[TupleRow]
Pool = AsyncConnectionPool[Connection]


@asynccontextmanager
async def connected(pool: Pool, timeout: float | None = None) -> AsyncIterator[Connection]:
    """A connection in a transaction, which commits unless the block raises.

    Raises PoolTimeout when there is none within `timeout` seconds; None is the pool's own time.

    The pool waits by `wait_for`, which in Python 3.11 can swallow a cancellation: it is raised again here.
    """
    async with pool.connection(timeout) as connection:
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError
        yield connection
