"""How sales are looked up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

from psycopg import sql
from pydantic import TypeAdapter

from projections.listing import Statement
from projections.pool import Pool, connected
from projections.sales.row import DayRow

ROWS: Final = TypeAdapter(list[DayRow])


async def sales_by_day(pool: Pool, first: date, last: date, currencies: Collection[str] | None = None) -> list[DayRow]:
    """From the first to the last day, both included; of a day there is a row for each currency that had sales."""
    statement = by_day(first, last, currencies)
    async with connected(pool) as connection:
        found = await (await connection.execute(statement.query, statement.values)).fetchall()
    return ROWS.validate_json("[" + ",".join(text for (text,) in found) + "]")


def by_day(first: date, last: date, currencies: Collection[str] | None) -> Statement:
    """As JSON, in which sums of any size are whole numbers."""
    query = sql.SQL(
        "SELECT to_json(t)::text FROM reads.sales_by_day t WHERE t.day BETWEEN %s AND %s{} ORDER BY t.day, t.currency"
    )
    if currencies is None:
        return Statement(query.format(sql.SQL("")), [first, last])
    return Statement(query.format(sql.SQL(" AND t.currency = ANY(%s)")), [first, last, list(currencies)])
