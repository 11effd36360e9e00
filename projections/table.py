"""A table of a read model and its rows: what is written by the consumer and read by the read API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, Final, Generic, LiteralString, Protocol, TypeVar
from uuid import UUID

from psycopg import sql
from pydantic import ConfigDict, TypeAdapter

from projections.pool import Connection, Cursor


class Row(Protocol):
    """A frozen dataclass whose fields are the table's columns; nested values live in jsonb columns."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def updated_at(self) -> datetime: ...


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """The codec between rows and a table of the same name. `schema` is a generation (`orders_1`) or `reads`."""

    def __init__(self, name: str, row: type[R]) -> None:
        self.name = name
        self.row = row
        self.columns = tuple(f.name for f in fields(row))  # type: ignore[arg-type]
        config = ConfigDict(hide_input_in_errors=True)  # errors get into log lines, and rows may be about people
        self._rows: TypeAdapter[list[R]] = TypeAdapter(list[row], config=config)  # type: ignore[valid-type]

    def selected(self) -> sql.Composable:
        """The select list under which `decoded` understands the answer, for a table called `t`."""
        return sql.SQL("to_json(t)::text")

    def decoded(self, answer: Iterable[Sequence[Any]]) -> list[R]:
        return self._rows.validate_json("[" + ",".join(found[0] for found in answer) + "]")

    async def select(self, connection: Connection, schema: str, ids: Iterable[UUID]) -> Cursor:
        """Asks for the rows of these ids. Meant for a pipeline; `found` understands what comes."""
        return await connection.execute(self._select(schema), [list(ids)])

    async def load(self, connection: Connection, schema: str, ids: Iterable[UUID]) -> dict[UUID, R]:
        """The rows of these ids that exist, by id."""
        return await self.found(await self.select(connection, schema, ids))

    async def found(self, cursor: Cursor) -> dict[UUID, R]:
        """What was selected, by id."""
        return {row.id: row for row in self.decoded(await cursor.fetchall())}

    async def save(self, connection: Connection, schema: str, rows: Sequence[R]) -> None:
        """Writes rows in one statement, but none over a row of the same or a later version.

        The rows travel as one JSON text: unlike unnested arrays it keeps array columns apart, and PostgreSQL
        takes the column types from the table itself.
        """
        if rows:
            await connection.execute(self._upsert(schema), [self._rows.dump_json(list(rows)).decode()])

    async def replace(self, connection: Connection, schema: str, rows: Sequence[R]) -> None:
        """Writes other values into rows that exist, at the version they have."""
        if rows:
            await connection.execute(self._update(schema), [self._rows.dump_json(list(rows)).decode()])

    # Statements are made once for a schema: putting one together costs as much as executing it.

    def _select(self, schema: str) -> bytes:
        return statement(SELECT, schema, self.name, self.columns)

    def _update(self, schema: str) -> bytes:
        return statement(UPDATE, schema, self.name, self.columns)

    def _upsert(self, schema: str) -> bytes:
        return statement(UPSERT, schema, self.name, self.columns)


@cache
def statement(which: LiteralString, schema: str, table: str, columns: tuple[str, ...]) -> bytes:
    """One of those below, for a table of a generation."""
    names = [sql.Identifier(column) for column in columns]
    composed = sql.SQL(which).format(
        table=sql.Identifier(schema, table),
        columns=sql.SQL(", ").join(names),
        given=sql.SQL(", ").join(sql.SQL("g.{}").format(name) for name in names),
        excluded=sql.SQL(", ").join(sql.SQL("excluded.{}").format(name) for name in names),
    )
    return composed.as_bytes(None)


SELECT: Final = "SELECT to_json(t)::text FROM {table} t WHERE id = ANY(%s)"
UPDATE: Final = """
UPDATE {table} AS t SET ({columns}) = ROW({given})
FROM json_populate_recordset(NULL::{table}, %s::json) AS g WHERE t.id = g.id AND t.version = g.version
"""
UPSERT: Final = """
INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json) AS g
ON CONFLICT (id) DO UPDATE SET ({columns}) = ROW({excluded}) WHERE t.version < excluded.version
"""
