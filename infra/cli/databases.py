"""The databases for the time of one command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from psycopg import AsyncConnection

from infra.databases import READS, Databases
from infra.settings import Settings


@asynccontextmanager
async def opened(settings: Settings, contexts: Iterable[str] = (), *, reads: bool = True) -> AsyncIterator[Databases]:
    """Of these contexts and, with `reads`, of the read models.

    Raises psycopg.OperationalError at once where one is away: a pool would wait half a minute for it.
    """
    databases = Databases(settings, contexts, reads=reads)
    for conninfo in databases.by_conninfo([*databases.contexts, READS] if reads else databases.contexts):
        async with await AsyncConnection.connect(conninfo):
            pass
    async with databases:
        yield databases
