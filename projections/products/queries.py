"""What the read API asks of the views of products, stock and categories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from projections.products.projector import categories, products, stock
from projections.products.row import CategoryRow, ProductRow, StockRow
from projections.schema import READS

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A category on the way from the top, as a part of the path to `leaf`."""

    leaf: UUID
    id: UUID
    name: str
    parent_id: UUID | None


# A category that was removed has no path, and neither has what somehow still hangs below it.
PATHS: Final = """
WITH RECURSIVE step AS (
    SELECT c.id AS leaf, c.id, c.name, c.parent_id, 0 AS up
    FROM reads.categories c
    WHERE c.id = ANY(%(ids)s) AND NOT c.removed
    UNION ALL
    SELECT step.leaf, c.id, c.name, c.parent_id, step.up + 1
    FROM step JOIN reads.categories c ON c.id = step.parent_id
    WHERE NOT c.removed
)
SELECT leaf, id, name, parent_id FROM step ORDER BY leaf, up DESC
"""

ALL_CATEGORIES: Final = "SELECT to_json(t)::text FROM reads.categories t WHERE NOT removed ORDER BY name, id"


async def paths(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, list[Step]]:
    """For each category that is there the way to it from the top, itself last."""
    cursor = await connection.execute(PATHS, {"ids": list(ids)})
    found: dict[UUID, list[Step]] = {}
    for step in (Step(*row) for row in await cursor.fetchall()):
        found.setdefault(step.leaf, []).append(step)
    return found


async def all_categories(connection: Connection) -> list[CategoryRow]:
    """By name. The domain keeps their number small."""
    cursor = await connection.execute(ALL_CATEGORIES)
    return categories.table.decoded(await cursor.fetchall())


async def products_by_id(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, ProductRow]:
    return await products.table.load(connection, READS, ids)


async def stock_of(connection: Connection, variants: Iterable[UUID]) -> dict[UUID, StockRow]:
    return await stock.table.load(connection, READS, variants)
