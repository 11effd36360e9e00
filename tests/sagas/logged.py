"""The same shop over real logs: two write loops for each context, as two processes have them, on one PostgreSQL.

What is known and what is delivered is what was read back from the logs, so a loop that answered for what it did not
write, or wrote what it did not answer for, is found out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeVar
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from commands.handler import Handlers
from commands.loop import WriteLoop
from commands.reply import Envelope, Reply
from domain.aggregate import Context, States
from domain.event import Event
from infra.event_log.log import EventLog
from infra.event_log.reader import LogReader
from projections.pool import Pool
from tests.sagas.world import World

T = TypeVar("T")

PROCESSES = 2
BATCH = 1_000
PATIENCE = 30.0  # seconds for one command


class OneKey:
    """The same personal-data key for everybody."""

    def get(self, owner: object) -> bytes | None:
        return b"k" * 32

    async def prefetch(self, owners: object) -> None:
        return None


class Beside:
    """An event loop in a thread of its own: the shop asks it, and waits for the answer."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class LoggedLoop:
    """Takes turns between its write loops, and reads the log after each command."""

    def __init__(self, world: LoggedWorld, context: Context, loops: Iterable[WriteLoop], reader: LogReader) -> None:
        self._world = world
        self._context = context
        self._loops = cycle(loops)
        self._reader = reader
        self.known: dict[UUID, Any] = {}

    async def states(self, ids: Iterable[UUID]) -> States:
        return self._world.beside.run(next(self._loops).states(ids))

    async def submit(self, envelope: Envelope) -> Reply:
        reply = self._world.beside.run(next(self._loops).submit(envelope))
        self._read()
        return reply

    def _read(self) -> None:
        feed = self._world.feeds[self._context.name]
        for recorded in self._world.beside.run(self._reader.read(len(feed), BATCH)).events:
            event = recorded.event
            assert isinstance(event, Event), "what was just written can be read"
            self.known[event.originator_id] = self._context.evolve(self.known.get(event.originator_id), event)
            self._world.recorded(self._context.name, recorded)


@dataclass
class LoggedWorld(World):
    """`conninfo` names a database with the logs of this release and nothing in them. To be closed."""

    conninfo: str = ""
    beside: Beside = field(default_factory=Beside)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _pool: Pool | None = None

    def _loop(self, context: Context, handlers: Handlers) -> Any:
        return self.beside.run(self._opened(context, handlers))

    async def _opened(self, context: Context, handlers: Handlers) -> LoggedLoop:
        pool = await self._shared_pool()
        loops = [await self._write_loop(pool, context, handlers) for _ in range(PROCESSES)]
        return LoggedLoop(self, context, loops, LogReader(pool, context.name, OneKey()))

    async def _shared_pool(self) -> Pool:
        if self._pool is None:
            self._pool = await self._stack.enter_async_context(pool_of(self.conninfo))
        return self._pool

    async def _write_loop(self, pool: Pool, context: Context, handlers: Handlers) -> WriteLoop:
        log = EventLog(self.conninfo, pool, context, OneKey())
        await log.open()
        self._stack.push_async_callback(log.close)
        loop = WriteLoop(context, handlers, log, clock=lambda: self.now)
        self._stack.push_async_callback(loop.close)
        return loop

    def close(self) -> None:
        self.beside.run(self._stack.aclose())
        self.beside.close()


def pool_of(conninfo: str) -> Pool:
    return AsyncConnectionPool(conninfo, min_size=1, max_size=4, kwargs={"autocommit": True}, open=False)
