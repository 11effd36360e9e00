"""How sagas are looked up, and how their age compares with that of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import sql

from projections.grouping import grouped
from projections.listing import Listing, Ordering
from projections.pool import Pool, connected
from projections.sagas.projector import sagas
from projections.sagas.row import SagaLine, SagaRow
from projections.table import R, Table

Usual = Mapping[str, tuple[float, float]]
"""By process: seconds that half of its instances, and nineteen of twenty, took at most."""

SAGAS: Final = Listing(sagas.table)


class Lean(Table[R]):
    """Selects the row's own columns only: what the fold keeps is most of what a row weighs."""

    def selected(self) -> sql.Composable:
        columns = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(column)) for column in self.columns)
        return sql.SQL("to_json((SELECT x FROM (SELECT {}) AS x))::text").format(columns)


SAGA_LINES: Final = Listing(Lean(sagas.table.name, SagaLine))

NEWEST_FIRST: Final = Ordering("started_at", descending=True)
OLDEST_FIRST: Final = Ordering("started_at")

RECENT: Final = 10_000
"""So many of the newest that ended are looked at for how long a process takes."""

USUAL: Final = """
SELECT process, percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.95) WITHIN GROUP (ORDER BY took)
FROM (
    SELECT process, took FROM reads.sagas WHERE took IS NOT NULL ORDER BY started_at DESC LIMIT %s
) AS ended GROUP BY process
"""

OF_ORDERS: Final = """
SELECT to_json(t)::text FROM reads.sagas t WHERE t.order_id = ANY(%s) ORDER BY t.started_at, t.id
"""


async def sagas_of(pool: Pool, orders: Sequence[UUID]) -> list[list[SagaRow]]:
    """For each order the sagas that worked it, the first first."""
    async with connected(pool) as connection:
        found = sagas.table.decoded(await (await connection.execute(OF_ORDERS, [orders])).fetchall())
    return grouped(orders, found, lambda row: row.order_id)


async def usual_of(pool: Pool, processes: Sequence[str]) -> list[tuple[float, float] | None]:
    """As `usual`, in the order of the processes; None where none has ended."""
    found = await usual(pool)
    return [found.get(process) for process in processes]


async def usual(pool: Pool) -> dict[str, tuple[float, float]]:
    """By process: seconds that half of its instances, and nineteen of twenty, took at most."""
    async with connected(pool) as connection:
        found: Sequence[tuple[str, float, float]] = await (await connection.execute(USUAL, [RECENT])).fetchall()
    return {process: (half, most) for process, half, most in found}


def age(row: SagaRow | SagaLine, now: datetime) -> float:
    """Seconds it has taken, or has been under way."""
    return row.took if row.took is not None else (now - row.started_at).total_seconds()


def is_slow(row: SagaRow | SagaLine, takes: Usual, now: datetime) -> bool:
    return row.took is None and row.process in takes and age(row, now) > takes[row.process][1]
