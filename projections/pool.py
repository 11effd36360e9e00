"""Connections to the read database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from psycopg import AsyncConnection, AsyncCursor, AsyncRawCursor
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]
Cursor = AsyncCursor[TupleRow]
Pool = AsyncConnectionPool[Connection]


PATIENCE: Final[ContextVar[float | None]] = ContextVar("seconds of waiting for a connection", default=None)


@contextmanager
def patient_for(seconds: float) -> Iterator[None]:
    """Within the block nobody waits longer for a connection.

    A consumer may wait as long as the pool does; who answers a request has to say soon that there is none.
    """
    token = PATIENCE.set(seconds)
    try:
        yield
    finally:
        PATIENCE.reset(token)


@asynccontextmanager
async def connected(pool: Pool, timeout: float | None = None) -> AsyncIterator[Connection]:
    """A connection in a transaction, which commits unless the block raises.

    Raises PoolTimeout when there is none within `timeout` seconds; None is what `patient_for` says, else the pool's
    own time.

    The pool waits by `wait_for`, which in Python 3.11 can swallow a cancellation: it is raised again here.
    """
    async with pool.connection(PATIENCE.get() if timeout is None else timeout) as connection:
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError
        yield connection


async def answered(pool: Pool, query: bytes, values: Sequence[Any]) -> bytes:
    """The one value that a statement gives, as PostgreSQL sends it: one statement, in a transaction of its own.

    Parameters are `$1`, `$2`, ... Raises psycopg's errors and PoolTimeout.
    """
    async with connected(pool) as connection:
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
