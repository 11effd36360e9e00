"""How products, stock, reservations and categories are looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.products.sku import normalised
from projections.grouping import grouped
from projections.listing import Listing, Mark, Page
from projections.pool import Connection, Pool, connected
from projections.products.projector import categories, products, reservations, stock
from projections.products.row import CategoryRow, ProductRow, ReservationRow, StockRow
from projections.products.search import MOST, PRICES, Search, Sort, counting, finding

PRODUCTS: Final = Listing(products.table)
STOCK: Final = Listing(stock.table)
RESERVATIONS: Final = Listing(reservations.table)
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

SUBTREE: Final = """
WITH RECURSIVE below AS (
    SELECT id FROM reads.categories WHERE id = %s AND NOT removed
    UNION ALL
    SELECT c.id FROM below JOIN reads.categories c ON c.parent_id = below.id WHERE NOT c.removed
)
SELECT id FROM below
"""

CHILDREN: Final = """
SELECT to_json(t)::text FROM reads.categories t
WHERE t.parent_id = ANY(%s) AND NOT t.removed ORDER BY t.name, t.id
"""

TREE: Final = "SELECT to_json(t)::text FROM reads.categories t WHERE NOT t.removed ORDER BY t.name, t.id"


OF_ORDERS: Final = """
SELECT to_json(t)::text FROM reads.reservations t WHERE t.order_id = ANY(%s) ORDER BY t.held_at, t.id
"""
BY_SKU: Final = "SELECT to_json(t)::text FROM reads.products t WHERE t.skus && %s"


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that was found, and its place in the order that was asked for."""

    product: ProductRow
    mark: Mark


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of them; `more`: in the direction of paging there are others."""

    hits: Sequence[Hit]
    more: bool


@dataclass(frozen=True, slots=True)
class PriceCount:
    """So many products cost at least `gte` and less than `below` (None: or whatever more)."""

    currency: str
    gte: int
    below: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How what was found is made up. `capped`: there is more than `total`; all counts are of the newest then.

    A category counts what is below it too. Of each attribute there are the most frequent values, those first.
    """

    total: int
    capped: bool
    in_stock: int
    categories: Mapping[UUID, int]
    attributes: Mapping[str, Mapping[str, int]]
    prices: Sequence[PriceCount]


async def find(pool: Pool, search: Search, sort: Sort, page: Page) -> Hits:
    async with connected(pool) as connection:
        statement = finding(search, await within(connection, search), sort, page)
        found = await (await connection.execute(statement.query, statement.values)).fetchall()
    rows = products.table.decoded((text,) for _, text in found)
    hits = [Hit(row, Mark(value, row.id)) for (value, _), row in zip(found, rows, strict=True)]
    more, hits = len(hits) > page.size, hits[: page.size]
    return Hits(hits[::-1] if page.backward else hits, more)


async def facets(pool: Pool, search: Search) -> Facets:
    async with connected(pool) as connection:
        statement = counting(search, await within(connection, search))
        found = await (await connection.execute(statement.query, statement.values)).fetchone()
    assert found is not None
    total, in_stock, by_category, by_value, by_price = found
    return Facets(
        total=min(total, MOST),
        capped=total > MOST,
        in_stock=in_stock,
        categories={UUID(id): count for id, count in by_category},
        attributes=by_name(by_value),
        prices=[price_count(*each) for each in by_price],
    )


BETWEEN: Final = list(zip([0, *PRICES], [*PRICES, None], strict=True))
"""Ranges of prices by the number that PostgreSQL's width_bucket gives them."""


def price_count(currency: str, number: int, count: int) -> PriceCount:
    gte, below = BETWEEN[number]
    return PriceCount(currency, gte, below, count)


def by_name(counts: Sequence[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, value, count in counts:
        found.setdefault(name, {})[value] = count
    return found


async def within(connection: Connection, search: Search) -> list[UUID] | None:
    return None if search.category is None else await below(connection, search.category)


async def below(connection: Connection, category: UUID) -> list[UUID]:
    """The category and all below it; none if it is not there."""
    return [id for (id,) in await (await connection.execute(SUBTREE, [category])).fetchall()]


async def subtree(pool: Pool, category: UUID) -> list[UUID]:
    async with connected(pool) as connection:
        return await below(connection, category)


async def products_by_sku(pool: Pool, skus: list[str]) -> list[ProductRow | None]:
    """In the order of the SKUs, in which upper and lower case are the same; None where no variant has it now.

    Between two events of two products both may have it for a moment: then it is either's.
    """
    wanted = [normalised(sku) for sku in skus]
    async with connected(pool) as connection:
        cursor = await connection.execute(BY_SKU, [wanted])
        rows = products.table.decoded(await cursor.fetchall())
    found = {sku: row for row in rows for sku in row.skus}
    return [found.get(sku) for sku in wanted]


async def reservations_of(pool: Pool, orders: list[UUID]) -> list[list[ReservationRow]]:
    """What was held for each of the orders, oldest first."""
    async with connected(pool) as connection:
        rows = reservations.table.decoded(await (await connection.execute(OF_ORDERS, [orders])).fetchall())
    return grouped(orders, rows, lambda row: row.order_id)


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


async def children_of(pool: Pool, parents: list[UUID]) -> list[list[CategoryRow]]:
    """For each category those right below it, by name."""
    async with connected(pool) as connection:
        rows = categories.table.decoded(await (await connection.execute(CHILDREN, [parents])).fetchall())
    return grouped(parents, rows, lambda row: row.parent_id)


async def stock_of(pool: Pool, variants: list[UUID]) -> list[StockRow | None]:
    found = await STOCK.many(pool, variants)
    return [found.get(id) for id in variants]


async def tree(pool: Pool) -> list[CategoryRow]:
    """All categories by name. The domain keeps their number small."""
    async with connected(pool) as connection:
        cursor = await connection.execute(TREE)
        return categories.table.decoded(await cursor.fetchall())
