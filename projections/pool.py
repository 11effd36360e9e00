"""Connections to the read database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from psycopg import AsyncConnection, AsyncCursor, AsyncRawCursor
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

Connection = AsyncConnection[TupleRow]
Cursor = AsyncCursor[TupleRow]
Pool = AsyncConnectionPool[Connection]


@dataclass(slots=True)
class Patience:
    """For how many seconds a request waits for a connection. Who has just waited in vain does not wait again."""

    seconds: float
    lost_at: float = float("-inf")

    @property
    def left(self) -> float:
        return 0.0 if monotonic() - self.lost_at < self.seconds else self.seconds


PATIENCE: Final[ContextVar[Patience | None]] = ContextVar("patience of a request", default=None)


@contextmanager
def patient_for(seconds: float) -> Iterator[None]:
    """Within the block nobody waits longer for a connection.

    A consumer may wait as long as the pool does; who answers a request has to say soon that there is none.
    """
    token = PATIENCE.set(Patience(seconds))
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
    patience = PATIENCE.get()
    if timeout is None and patience is not None:
        timeout = patience.left
    try:
        async with pool.connection(timeout) as connection:
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError
            yield connection
    except PoolTimeout:
        if patience is not None:
            patience.lost_at = monotonic()
        raise


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
