"""Brings the read database up to this release: its books, the first generation of each model, the views of readers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection, sql

from projections.model import Model
from projections.pool import Connection

LOCK: Final = 0x6368_6F62_6F72  # 'chobor'
READS: Final = "reads"


class ShapeChanged(Exception):
    """The tables of a live generation were made from another table.sql than this release has."""

    def __init__(self, model: str, generation: int) -> None:
        super().__init__(
            f"read model {model}@{generation} was made from another table.sql: build a new generation of it"
        )


async def prepare(conninfo: str, models: Iterable[Model]) -> None:
    """Safe to call from many processes at once. Raises ShapeChanged."""
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        await _migrate(connection)
        for model in models:
            await _ensure(connection, model)


def schema_of(model: str, generation: int) -> str:
    """The schema that holds the tables of a generation."""
    return f"{model}_{generation}"


async def create_generation(connection: Connection, model: Model, generation: int, status: str) -> None:
    schema = sql.Identifier(schema_of(model.name, generation))
    async with connection.transaction():
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        await connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(schema))
        await connection.execute(model.table_sql.encode())
        await connection.execute(
            "INSERT INTO projections.generations (model, generation, status, shape) VALUES (%s, %s, %s, %s)",
            [model.name, generation, status, _shape(model)],
        )


async def point_views(connection: Connection, model: Model, generation: int) -> None:
    """Lets readers see this generation. Call it in a transaction: all views of a model change together."""
    for projector in model.projectors:
        names = (sql.Identifier(s, projector.table.name) for s in (READS, schema_of(model.name, generation)))
        await connection.execute(sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}").format(*names))


async def _ensure(connection: Connection, model: Model) -> None:
    live = await connection.execute(
        "SELECT generation, shape FROM projections.generations WHERE model = %s AND status = 'LIVE'", [model.name]
    )
    found = await live.fetchone()
    if found is None:
        async with connection.transaction():
            await create_generation(connection, model, 1, "LIVE")
            await point_views(connection, model, 1)
    elif found[1] != _shape(model):
        raise ShapeChanged(model.name, found[0])


def _shape(model: Model) -> bytes:
    return hashlib.sha256(model.table_sql.encode()).digest()


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
