"""How products, stock and categories are looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from projections.listing import Listing
from projections.pool import Pool, connected
from projections.products.projector import categories, products, stock
from projections.products.row import CategoryRow, StockRow

PRODUCTS: Final = Listing(products.table)
STOCK: Final = Listing(stock.table)
CATEGORIES: Final = Listing(categories.table)


@dataclass(frozen=True, slots=True)
class Step:
    """A category on the way from the top to the category `leaf`."""

    leaf: UUID
    id: UUID
    name: str


# A category that was removed has no path.
PATHS: Final = """
WITH RECURSIVE step AS (
    SELECT c.id AS leaf, c.id, c.name, c.parent_id, 0 AS up
    FROM reads.categories c
    WHERE c.id = ANY(%(ids)s) AND NOT c.removed
    UNION ALL
    SELECT step.leaf, c.id, c.name, c.parent_id, step.up + 1
    FROM step JOIN reads.categories c ON c.id = step.parent_id
)
SELECT leaf, id, name FROM step ORDER BY leaf, up DESC
"""

TREE: Final = "SELECT to_json(t)::text FROM reads.categories t WHERE NOT t.removed ORDER BY t.name, t.id"


async def paths_to(pool: Pool, ids: list[UUID]) -> list[list[Step]]:
    """For each category the way to it from the top, itself last; empty if it is not there."""
    async with connected(pool) as connection:
        cursor = await connection.execute(PATHS, {"ids": ids})
        steps = [Step(*row) for row in await cursor.fetchall()]
    found: dict[UUID, list[Step]] = {}
    for step in steps:
        found.setdefault(step.leaf, []).append(step)
    return [found.get(id, []) for id in ids]


async def categories_by_id(pool: Pool, ids: list[UUID]) -> list[CategoryRow | None]:
    found = await CATEGORIES.many(pool, ids)
    there = {id: row for id, row in found.items() if not row.removed}
    return [there.get(id) for id in ids]


async def stock_of(pool: Pool, variants: list[UUID]) -> list[StockRow | None]:
    found = await STOCK.many(pool, variants)
    return [found.get(id) for id in variants]


async def tree(pool: Pool) -> list[CategoryRow]:
    """All categories by name. The domain keeps their number small."""
    async with connected(pool) as connection:
        cursor = await connection.execute(TREE)
        return categories.table.decoded(await cursor.fetchall())
