"""Generations of read models: the books about them, their tables, and the views through which readers see one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from psycopg import errors, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from projections.checkpoint import READ, Checkpoint, restored
from projections.model import Model
from projections.pool import Connection

READS: Final = "reads"


class State(StrEnum):
    BUILDING = "BUILDING"  # from the log, by parts
    READY = "READY"  # built; followed beside the live one, unless it is as of a moment
    LIVE = "LIVE"  # what readers see
    KEPT = "KEPT"  # what they saw before; followed, so that they can be led back
    CANCELLED = "CANCELLED"  # no tables any more, nor has a dropped one
    DROPPED = "DROPPED"


STANDING: Final = (State.BUILDING, State.READY, State.LIVE, State.KEPT)
"""Those that have tables."""

FOLLOWED: Final = (State.READY, State.LIVE, State.KEPT)


@dataclass(frozen=True, slots=True)
class Generation:
    """A row of `projections.generations`; what its columns mean stands in sql/0004_replay.sql."""

    model: str
    generation: int
    status: State
    shape: bytes
    replay: UUID
    created_at: datetime
    ends: Mapping[str, int] | None
    parts: int
    indexes: Sequence[str]
    until: str | None
    for_shape: bool
    built_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None
    compared_at: datetime | None
    compared: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """As a consumer: `orders@7`."""
        return f"{self.model}@{self.generation}"

    @property
    def schema(self) -> str:
        return schema_of(self.model, self.generation)

    @property
    def is_followed(self) -> bool:
        return self.status in FOLLOWED and self.until is None

    @property
    def is_candidate(self) -> bool:
        return self.status in {State.BUILDING, State.READY} and self.until is None


COLUMNS: Final = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(Generation))


def schema_of(model: str, generation: int) -> str:
    """The schema that holds the tables of a generation."""
    return f"{model}_{generation}"


def shape_of(model: Model) -> bytes:
    """Equal for equal tables."""
    return hashlib.sha256(model.table_sql.encode()).digest()


async def listed(connection: Connection, model: str | None = None, *, ended: bool = False) -> list[Generation]:
    """By model, the oldest first; those without tables only with `ended`."""
    query = sql.SQL(
        "SELECT {} FROM projections.generations"
        " WHERE model = coalesce(%s, model) AND (%s OR status = ANY(%s)) ORDER BY model, generation"
    ).format(COLUMNS)
    cursor = connection.cursor(row_factory=class_row(Generation))
    await cursor.execute(query, [model, ended, list(STANDING)])
    return [_typed(row) for row in await cursor.fetchall()]


async def of_replay(connection: Connection, replay: UUID) -> Generation | None:
    """The generation an operation has started."""
    query = sql.SQL("SELECT {} FROM projections.generations WHERE replay = %s").format(COLUMNS)
    cursor = connection.cursor(row_factory=class_row(Generation))
    await cursor.execute(query, [replay])
    found = await cursor.fetchone()
    return None if found is None else _typed(found)


def _typed(row: Generation) -> Generation:
    return replace(row, status=State(row.status))


async def live(connection: Connection, model: str) -> Generation | None:
    return next((g for g in await listed(connection, model) if g.status is State.LIVE), None)


async def add(
    connection: Connection,
    model: Model,
    status: State,
    *,
    replay: UUID | None = None,
    ends: Mapping[str, int] | None = None,
    parts: int = 1,
    until: str | None = None,
    for_shape: bool = False,
) -> int:
    """Makes the tables of the model's next generation and gives its number. In a transaction of the caller's.

    One that is to be built gets its indexes when its rows are there.
    """
    found = await connection.execute(
        "INSERT INTO projections.generations (model, generation, status, shape, replay, ends, parts, until, for_shape)"
        " SELECT %s, coalesce(max(generation), 0) + 1, %s, %s, coalesce(%s, uuidv7()), %s, %s, %s, %s"
        " FROM projections.generations WHERE model = %s RETURNING generation",
        [
            model.name,
            status,
            shape_of(model),
            replay,
            None if ends is None else Jsonb(dict(ends)),
            parts,
            until,
            for_shape,
            model.name,
        ],
    )
    row = await found.fetchone()
    assert row is not None
    number = int(row[0])
    await _create_tables(connection, model, schema_of(model.name, number))
    if status is State.BUILDING:
        await _put_indexes_off(connection, model.name, number)
    return number


async def _create_tables(connection: Connection, model: Model, schema: str) -> None:
    await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    await connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
    await connection.execute(model.table_sql.encode(), prepare=False)
    await connection.execute("SET LOCAL search_path TO DEFAULT")


PUT_OFF: Final = """
SELECT c.relname, pg_get_indexdef(c.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = %s::regnamespace AND NOT i.indisunique
ORDER BY c.relname
"""


async def _put_indexes_off(connection: Connection, model: str, number: int) -> None:
    """Takes away the indexes that only readers need, and notes how to make them."""
    schema = schema_of(model, number)
    found = await (await connection.execute(PUT_OFF, [f'"{schema}"'])).fetchall()
    for name, _ in found:
        await connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))
    await connection.execute(
        "UPDATE projections.generations SET indexes = %s WHERE (model, generation) = (%s, %s)",
        [[definition for _, definition in found], model, number],
    )


async def built(connection: Connection, generation: Generation) -> None:
    """Makes the indexes that were put off and says that the generation is ready. In a transaction of the caller's."""
    for definition in generation.indexes:
        await connection.execute(definition.encode(), prepare=False)
    for table in await tables_of(connection, generation.schema):
        await connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(generation.schema, table)))
    await connection.execute(
        "UPDATE projections.generations SET status = 'READY', indexes = '{}', built_at = clock_timestamp()"
        " WHERE (model, generation, status) = (%s, %s, 'BUILDING')",
        [generation.model, generation.generation],
    )


async def tables_of(connection: Connection, schema: str) -> list[str]:
    """The names of the tables of a generation."""
    found = await connection.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY 1",
        [f'"{schema}"'],
    )
    return [name for (name,) in await found.fetchall()]


async def remove(connection: Connection, generation: Generation, status: State) -> None:
    """Takes the generation's tables, checkpoints and parked rows away. In a transaction of the caller's."""
    await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(generation.schema)))
    await connection.execute(
        "UPDATE projections.generations SET status = %s, ended_at = clock_timestamp(), switching_at = NULL"
        " WHERE (model, generation) = (%s, %s)",
        [status, generation.model, generation.generation],
    )
    await forget_consumers(connection)


async def forget_consumers(connection: Connection) -> None:
    """Removes what consumers left that outlived their generation's tables."""
    for table in ("parked", "checkpoints"):
        await connection.execute(
            sql.SQL(
                "DELETE FROM {} t USING projections.generations g"
                " WHERE t.consumer = g.model || '@' || g.generation AND g.status IN ('CANCELLED', 'DROPPED')"
            ).format(sql.Identifier("projections", table))
        )


async def checkpoint_of(connection: Connection, generation: Generation, context: str) -> Checkpoint | None:
    """Where its consumer of this context stands; None if there never was one."""
    found = await (await connection.execute(READ, [generation.name, context])).fetchone()
    return None if found is None else restored(*found)


async def parked(connection: Connection, generation: Generation) -> int:
    """How many sequences of events it could not apply."""
    found = await connection.execute("SELECT count(*) FROM projections.parked WHERE consumer = %s", [generation.name])
    row = await found.fetchone()
    return int(row[0]) if row else 0


VIEWS: Final = """
SELECT DISTINCT v.relname::text
FROM pg_depend d
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class AND v.relnamespace = 'reads'::regnamespace
JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
WHERE t.relnamespace = to_regnamespace(%s)
ORDER BY 1
"""


async def views_on(connection: Connection, schema: str) -> list[str]:
    """The views through which readers see this generation."""
    return [name for (name,) in await (await connection.execute(VIEWS, [f'"{schema}"'])).fetchall()]


async def point_views(connection: Connection, model: Model, number: int, *, instead_of: int | None = None) -> None:
    """Lets readers see this generation. Call it in a transaction: all views of a model change together.

    Views of tables that the new generation has no more are dropped.
    """
    tables = await tables_of(connection, schema_of(model.name, number))
    for table in tables:
        await _point(connection, schema_of(model.name, number), table)
    if instead_of is not None:
        for view in await views_on(connection, schema_of(model.name, instead_of)):
            await connection.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(READS, view)))


async def _point(connection: Connection, schema: str, table: str) -> None:
    view, source = sql.Identifier(READS, table), sql.Identifier(schema, table)
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}").format(view, source))
    except errors.InvalidTableDefinition:  # columns went, or are in another order or of another type
        await connection.execute(sql.SQL("DROP VIEW {}").format(view))
        await connection.execute(sql.SQL("CREATE VIEW {} AS SELECT * FROM {}").format(view, source))
