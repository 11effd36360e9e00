"""Brings the read database up to this release: its books, the first generation of each model, the views of readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection, sql

from projections import generations
from projections.generations import READS, Generation, State, shape_of
from projections.model import Model
from projections.pool import Connection, Pool, connected

LOCK: Final = 0x6368_6F62_6F72  # 'chobor'


class ShapeChanged(Exception):
    """The tables that readers see were made from another table.sql than this release has."""

    def __init__(self, live: Generation, standing: Sequence[Generation]) -> None:
        self.is_older = any(g.status is State.KEPT for g in standing)
        """This release's tables are there, and readers were led on from them: a later release runs."""
        others = ", ".join(f"{g.name} is {g.status}" for g in standing) or "none is being built"
        super().__init__(
            f"read model {live.name} was made from another table.sql than this release has. Of this release's: {others}"
        )


async def prepare(conninfo: str, models: Iterable[Model]) -> None:
    """Safe to call from many processes at once. What has another shape than before is left to be built anew."""
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        await _migrate(connection)
        for model in models:
            await _ensure(connection, model)


async def _ensure(connection: Connection, model: Model) -> None:
    if await generations.live(connection, model.name) is not None:
        return
    async with connection.transaction():
        number = await generations.add(connection, model, State.LIVE)
        await generations.point_views(connection, model, number)


async def require_shape(pool: Pool, models: Iterable[Model]) -> None:
    """Raises ShapeChanged while readers would see tables of another shape than this release reads."""
    async with connected(pool) as connection:
        for model in models:
            found = await generations.listed(connection, model.name)
            live = next(g for g in found if g.status is State.LIVE)
            if live.shape != shape_of(model):
                raise ShapeChanged(live, [g for g in found if g.shape == shape_of(model) and g.until is None])


async def _migrate(connection: Connection) -> None:
    for schema in ("projections", READS):
        await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    await connection.execute("CREATE TABLE IF NOT EXISTS projections.migrations (name text PRIMARY KEY)")
    applied = {
        name for (name,) in await (await connection.execute("SELECT name FROM projections.migrations")).fetchall()
    }
    for name, text in _migrations():
        if name not in applied:
            await _apply(connection, name, text)


async def _apply(connection: Connection, name: str, text: bytes) -> None:
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("INSERT INTO projections.migrations (name) VALUES (%s)", [name])


def _migrations() -> list[tuple[str, bytes]]:
    return [(file.name, file.read_bytes()) for file in sorted((Path(__file__).parent / "sql").glob("*.sql"))]
