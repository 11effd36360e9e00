"""One connection that carries several calls of one prepared statement at a time, in order (libpq's pipeline mode)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from psycopg import AsyncConnection, OperationalError, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

STATEMENT = b"call"

DEADLINES: Final[dict[str, Any]] = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 5,  # seconds
    "keepalives_interval": 2,  # seconds
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
"""What a conninfo does not say itself. Without effect on a Unix socket."""
PASSING = ("08", "25006", "40", "53", "55", "57", "58")
"""SQLSTATEs that say nothing about the data sent: the server stops, only reads, is full, or was told to cancel."""


class ConnectionLost(Exception):
    """The connection broke or is of no use any more; whether the calls under way took effect is not known."""


class StatementFailed(Exception):
    """The server refused a call; nothing of it took effect."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class Wire:
    """Calls are executed one after another in the order of `call`, each in a transaction of its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[asyncio.Future[pq.abc.PGresult]] = deque()
        self._result: pq.abc.PGresult | None = None
        self._socket = self._pg.socket
        self._writing = False
        self._lost = False

    @classmethod
    async def open(cls, conninfo: str, statement: str, types: Sequence[int]) -> Wire:
        """Connects and prepares the statement. Raises psycopg.Error, ConnectionLost, StatementFailed."""
        connection = await AsyncConnection.connect(with_deadlines(conninfo), autocommit=True)
        prepared = connection.pgconn.prepare(STATEMENT, statement.encode(), types)
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            await connection.close()
            raise _failure(prepared)
        wire = cls(connection)
        wire._pg.enter_pipeline_mode()
        wire._loop.add_reader(wire._socket, wire._readable)
        return wire

    @property
    def lost(self) -> bool:
        return self._lost

    def call(self, params: Sequence[bytes | None], formats: Sequence[int]) -> asyncio.Future[pq.abc.PGresult]:
        """Sends a call with binary parameters and result. The future raises ConnectionLost or StatementFailed."""
        future: asyncio.Future[pq.abc.PGresult] = self._loop.create_future()
        if self._lost:
            future.set_exception(ConnectionLost())
            return future
        self._waiting.append(future)
        try:
            self._pg.send_query_prepared(STATEMENT, params, formats, pq.Format.BINARY)
            self._pg.pipeline_sync()
            self._flush()
        except OperationalError:
            self._lose()
        return future

    async def close(self) -> None:
        self._lose()
        await self._connection.close()

    def _flush(self) -> None:
        unsent = bool(self._pg.flush())
        if unsent == self._writing:
            return
        self._writing = unsent
        if unsent:
            self._loop.add_writer(self._socket, self._writable)
        else:
            self._loop.remove_writer(self._socket)

    def _writable(self) -> None:
        try:
            self._flush()
        except OperationalError:
            self._lose()

    def _readable(self) -> None:
        try:
            self._pg.consume_input()
            while self._waiting and not self._pg.is_busy():
                self._take(self._pg.get_result())
        except OperationalError:
            self._lose()

    def _take(self, result: pq.abc.PGresult | None) -> None:
        if result is None:
            return  # the end of one call's results; its sync follows
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            self._result = result
            return
        answer, self._result = self._result, None
        future = self._waiting.popleft()
        if future.done():
            return
        if answer is not None and answer.status == pq.ExecStatus.TUPLES_OK:
            future.set_result(answer)
        else:
            future.set_exception(_failure(answer))

    def _lose(self) -> None:
        """Ends the connection for everybody who waits on it."""
        if self._lost:
            return
        self._lost = True
        self._loop.remove_reader(self._socket)
        if self._writing:
            self._loop.remove_writer(self._socket)
        self._pg.finish()
        for future in self._waiting:
            if not future.done():
                future.set_exception(ConnectionLost())
        self._waiting.clear()


def with_deadlines(conninfo: str) -> str:
    """A server that vanishes without a word is given up after seconds, not after the kernel's quarter of an hour."""
    return make_conninfo("", **(DEADLINES | conninfo_to_dict(conninfo)))


def _failure(result: pq.abc.PGresult | None) -> Exception:
    if result is None:
        return ConnectionLost()
    sqlstate = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    message = (result.error_message or b"").decode(errors="replace").strip()
    lost = not sqlstate or sqlstate.startswith(PASSING)  # without a state it was not the server who said it
    return ConnectionLost(message) if lost else StatementFailed(sqlstate, message)
