"""A fresh embedded server for one benchmark, at default durability, and write loops on it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from psycopg_pool import AsyncConnectionPool

from bench.counter import COUNTERS, HANDLERS
from commands.loop import WriteLoop
from infra import garbage
from infra.embedded import EmbeddedPostgres
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate


class NoKeys:
    """Counters hold nothing personal."""

    def get(self, owner: object) -> bytes | None:
        raise KeyError(owner)

    async def prefetch(self, owners: object) -> None:
        return None


@contextmanager
def fresh_server() -> Iterator[str]:
    """The conninfo of an empty database."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "data") as server:
        yield server.conninfo("postgres")


@asynccontextmanager
async def counter_loop(conninfo: str) -> AsyncIterator[WriteLoop]:
    await migrate(conninfo, [COUNTERS.name])
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=4, kwargs={"autocommit": True}, open=False) as pool:
        log = EventLog(conninfo, pool, COUNTERS, NoKeys())
        await log.open()
        loop = WriteLoop(COUNTERS, HANDLERS, log)
        garbage.settle()  # as every process of ours does
        try:
            yield loop
        finally:
            await loop.close()
            await log.close()
