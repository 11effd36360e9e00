"""Connections to the read database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, AsyncCursor, AsyncRawCursor
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


async def answered(pool: Pool, query: bytes, values: Sequence[Any]) -> bytes:
    """The one value that a statement gives, as PostgreSQL sends it: one statement, in a transaction of its own.

    Parameters are `$1`, `$2`, ... Raises psycopg's errors and PoolTimeout.
    """
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        try:
            cursor = AsyncRawCursor(connection)
            await cursor.execute(query, values, prepare=True)
            result = cursor.pgresult
            assert result is not None
            found = result.get_value(0, 0)
        finally:
            if not connection.closed:
                await connection.set_autocommit(False)
    assert found is not None, "the statement gives JSON"
    return found
