"""Tells those who wait that a log has grown: in this process at once, to others by NOTIFY.

It only shortens waiting. A NOTIFY inside the append would make every commit flush the WAL alone, so it goes on a
connection of the pool, without a flush of its own, and at most one is under way; a poll is the net under it all.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

DEBOUNCE: Final = 0.01
"""Seconds between two notifications of one log."""

NOTIFY: Final = """
SELECT pg_notify(channel, head)
FROM set_config('synchronous_commit', 'off', true), unnest(%s::text[], %s::text[]) AS grown (channel, head)
"""

log = logging.getLogger(__name__)


class Wakeups:
    def __init__(
        self, conninfo: str, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], contexts: Iterable[str]
    ) -> None:
        self._conninfo = conninfo
        self._pool = pool
        self._contexts = list(contexts)
        self._heads: dict[str, int] = dict.fromkeys(self._contexts, 0)
        self._notified: dict[str, int] = dict.fromkeys(self._contexts, 0)
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._sender: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._listener = asyncio.create_task(self._listen())

    async def close(self) -> None:
        tasks = [task for task in (self._listener, self._sender) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def head(self, context: str) -> int:
        """As far as this process has heard: its own writes at once, those of others some milliseconds later."""
        return self._heads[context]

    def written(self, context: str, position: int) -> None:
        """This process has written up to `position`."""
        self._grown(context, position)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())

    async def wait(self, context: str, after: int, timeout: float) -> None:
        """Returns when the log is known to reach beyond `after`, at the latest after `timeout` seconds."""
        if self._heads[context] > after:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[context].add(woken)
        try:
            async with asyncio.timeout(timeout):
                await woken
        except TimeoutError:
            return
        finally:
            self._waiting[context].discard(woken)

    def _grown(self, context: str, position: int) -> None:
        if position <= self._heads[context]:
            return  # the echo of our own notification
        self._heads[context] = position
        for woken in self._waiting[context]:
            if not woken.done():
                woken.set_result(None)

    async def _send(self) -> None:
        while due := {c: head for c, head in self._heads.items() if head > self._notified[c]}:
            try:
                async with self._pool.connection() as connection:
                    channels = [_channel(context) for context in due]
                    await connection.execute(NOTIFY, [channels, [str(head) for head in due.values()]])
                self._notified |= due
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("no wake-up was sent: %s", error)  # those who wait will poll
                return
            await asyncio.sleep(DEBOUNCE)

    async def _listen(self) -> None:
        channels = {_channel(context): context for context in self._contexts}
        while True:
            try:
                async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    for channel in channels:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    async for notify in connection.notifies():
                        self._heard(channels[notify.channel], notify.payload)
            except psycopg.Error as error:
                log.warning("not listening for wake-ups, polling instead: %s", error)
                await asyncio.sleep(1)

    def _heard(self, context: str, payload: str) -> None:
        """What is no number is somebody else's; a poll finds what it might have meant."""
        if payload.isdecimal():
            self._notified[context] = max(self._notified[context], int(payload))
            self._grown(context, int(payload))


def _channel(context: str) -> str:
    return f"chobo_{context}"
