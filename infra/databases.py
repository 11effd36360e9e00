"""The databases of the settings: one pool for each, however many contexts share it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

from infra.health import Check
from infra.settings import Settings, SettingsRefused

Pool = AsyncConnectionPool[AsyncConnection[Any]]
READS: Final = "read"
RECONNECT: Final = 3.0
"""Seconds for which a pool tries by itself to replace a connection, each time waiting longer than before.

Then it leaves that to whoever asks for one: after a long outage nobody waits for as long again.
"""


IN_UTC: Final = "-c TimeZone=UTC -c DateStyle=ISO"
"""Moments come as they are stored, whatever the database or its account is set to."""


class Databases:
    """By context, and `read` for the read models. Use as an async context manager."""

    def __init__(self, settings: Settings, contexts: Iterable[str], *, reads: bool = True) -> None:
        self.contexts = list(contexts)
        self.reads = reads
        self._settings = settings
        self._pools: dict[tuple[str, bool], Pool] = {}

    def conninfo(self, context: str) -> str:
        """Raises SettingsRefused when no setting names a database for it."""
        if (conninfo := self._settings.database_of(context)) is None:
            raise SettingsRefused(f"no database for {context}: set CHOBO_DATABASE_URL or run `chobo up`")
        return conninfo

    def pool(self, context: str) -> Pool:
        """Of a log: each statement for itself, in one round trip. Of the read models: transactions."""
        key = self.conninfo(context), context != READS
        if key not in self._pools:
            self._pools[key] = self._made(*key)
        return self._pools[key]

    def _made(self, conninfo: str, autocommit: bool) -> Pool:
        return AsyncConnectionPool(
            conninfo,
            min_size=1,
            max_size=self._settings.pool_size,
            open=False,
            timeout=10,
            reconnect_timeout=RECONNECT,
            kwargs={"autocommit": autocommit, "options": options_of(conninfo)},
        )

    def by_conninfo(self, contexts: Iterable[str]) -> dict[str, list[str]]:
        grouped: dict[str, list[str]] = {}
        for context in contexts:
            grouped.setdefault(self.conninfo(context), []).append(context)
        return grouped

    def named(self) -> dict[str, Pool]:
        """Each pool by the contexts it is for."""
        names: dict[tuple[str, bool], list[str]] = {}
        for name in [*self.contexts, READS] if self.reads else self.contexts:
            names.setdefault((self.conninfo(name), name != READS), []).append(name)
        return {",".join(users): self._pools[key] for key, users in names.items() if key in self._pools}

    def checks(self) -> dict[str, Check]:
        """For readiness: whether each database answers, by a name that shows nothing of its address."""
        return {f"database {number}": _answers(pool) for number, pool in enumerate(self._pools.values(), 1)}

    async def __aenter__(self) -> Self:
        for pool in map(self.pool, [*self.contexts, READS] if self.reads else self.contexts):
            await pool.open(wait=True, timeout=30)
        return self

    async def open_later(self) -> None:
        """Without waiting until they answer: whoever asks for a connection waits then."""
        for pool in map(self.pool, self.contexts):
            await pool.open(wait=False)

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()


def options_of(conninfo: str) -> str:
    """Ours before those that the setting names: whoever says how moments are written there means it."""
    given = conninfo_to_dict(conninfo).get("options") or ""
    return f"{IN_UTC} {given}".rstrip()


def _answers(pool: Pool) -> Check:
    async def check() -> None:
        async with pool.connection(timeout=1) as connection:
            await connection.execute("SELECT 1")

    return check
