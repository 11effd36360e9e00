"""Sums over the rows of a read model, kept by adding what a batch changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from psycopg import sql
from pydantic_core import to_json

from projections.folding import Folding, told
from projections.model import Addends, Sums
from projections.pool import Connection

Changes = dict[tuple[Any, ...], Counter[str]]
"""By key and by column, what is to be added; never nothing."""


class CannotAdd(ValueError):
    """What a row adds to sums cannot be told: its event is parked."""


def changes(sums: Sums, folding: Folding) -> Changes:
    """What the changed rows add now, less what they added as they were stored. Raises CannotAdd."""
    found: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for projector, addends in sums.adds.items():
        stored = folding.stored[projector]
        for id, row in folding.changed[projector].items():
            for key, columns in _addends(addends, row).items():
                found[key].update(columns)
            for key, columns in _addends(addends, stored[id]).items() if id in stored else ():
                found[key].subtract(columns)
    return {key: some for key, columns in found.items() if (some := without_zeros(columns))}


def _addends(addends: Callable[[Any], Addends], row: Any) -> Addends:
    try:
        return addends(row)
    except Exception as error:
        raise CannotAdd(told(error)) from error


def without_zeros(columns: Mapping[str, int]) -> Counter[str]:
    return Counter({column: n for column, n in columns.items() if n})


async def add(connection: Connection, schema: str, sums: Sums, changes: Changes) -> None:
    """In order of key, so that no two consumers wait for each other. For a pipeline."""
    if not changes:
        return
    columns = tuple(sorted({column for some in changes.values() for column in some}))
    rows = [
        dict(zip(sums.key, key, strict=True)) | {column: changes[key][column] for column in columns}
        for key in sorted(changes)
    ]
    await connection.execute(_upsert(schema, sums.table, sums.key, columns), [to_json(rows).decode()])


@cache
def _upsert(schema: str, table: str, key: tuple[str, ...], columns: tuple[str, ...]) -> bytes:
    added = [sql.SQL("{column} = t.{column} + excluded.{column}").format(column=sql.Identifier(c)) for c in columns]
    composed = sql.SQL(
        "INSERT INTO {table} AS t ({all}) SELECT {all} FROM json_populate_recordset(NULL::{table}, %s::json)"
        " ON CONFLICT ({key}) DO UPDATE SET {added}"
    ).format(
        table=sql.Identifier(schema, table),
        all=sql.SQL(", ").join(map(sql.Identifier, [*key, *columns])),
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
        added=sql.SQL(", ").join(added),
    )
    return composed.as_bytes(None)
