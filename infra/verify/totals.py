"""Sums over the rows of a read model against the rows as they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from infra.verify.finding import Code, Finding
from infra.verify.log import chunks
from projections.generations import Generation
from projections.model import Model, Projector, Sums
from projections.sums import Changes, without_zeros


async def wrong_sums(connection: AsyncConnection[Any], generation: Generation, model: Model) -> AsyncIterator[Finding]:
    """In one snapshot. There are as many keys as a person can look at; the rows are read a stretch at a time."""
    for sums in model.sums:
        due, stored = await recomputed(connection, generation, sums), await kept(connection, generation, sums)
        for key in sorted(due.keys() | stored.keys(), key=str):
            if (wanted := due.get(key, Counter())) != (found := stored.get(key, Counter())):
                columns = sorted(c for c in wanted.keys() | found.keys() if wanted[c] != found[c])
                said = ", ".join(f"{c} is {found[c]}, the rows add up to {wanted[c]}" for c in columns)
                place = f"{generation.name}/{sums.table}"
                yield Finding(Code.SUM_DIFFERS, place, f"{'/'.join(map(str, key))}: {said}")


async def recomputed(connection: AsyncConnection[Any], generation: Generation, sums: Sums) -> Changes:
    """What the rows add up to."""
    found: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for projector, addends in sums.adds.items():
        async for rows in _rows(connection, generation, projector):
            for row in rows:
                for key, columns in addends(row).items():
                    found[key].update(columns)
    return {key: some for key, columns in found.items() if (some := without_zeros(columns))}


async def kept(connection: AsyncConnection[Any], generation: Generation, sums: Sums) -> Changes:
    """What the table of the sums says."""
    found: Changes = {}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(generation.schema, sums.table)))
        async for row in cursor:
            key = tuple(row.pop(name) for name in sums.key)
            if some := without_zeros({column: int(n) for column, n in row.items()}):
                found[key] = some
    return found


async def _rows(
    connection: AsyncConnection[Any], generation: Generation, projector: Projector[Any]
) -> AsyncIterator[list[Any]]:
    table = projector.table
    query = sql.SQL("SELECT {} FROM {} t").format(table.selected(), sql.Identifier(generation.schema, table.name))
    async for some in chunks(connection, query.as_string(connection)):
        yield table.decoded(some)
