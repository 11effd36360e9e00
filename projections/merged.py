"""Tables with rows of one shape, listed as one: each gives, by its own index, what a page may need of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg import sql

from projections.listing import Condition, Listing, Ordering, Page, Statement, between, sorted_to, up_to
from projections.pool import Pool
from projections.table import R, Table


class Merged(Listing[R]):
    """They may belong to several read models. No id is in two of them."""

    def __init__(self, tables: Sequence[Table[R]]) -> None:
        super().__init__(tables[0])
        self._parts = [Listing(table) for table in tables]
        self._columns = sql.SQL(", ").join(sql.Identifier("t", name) for name in self.table.columns)

    async def many(self, pool: Pool, ids: Iterable[UUID]) -> dict[UUID, R]:
        wanted = list(ids)
        return {id: row for part in self._parts for id, row in (await part.many(pool, wanted)).items()}

    def statement(self, where: Iterable[Condition], ordering: Ordering, page: Page) -> Statement:
        tail = sorted_to(ordering, page)
        found = self._union(self._columns, list(where), between(ordering, page), tail)
        query = sql.SQL("SELECT {} FROM ({}) t").format(self.table.selected(), found.query) + tail.query
        return Statement(query, [*found.values, *tail.values])

    def counting(self, where: Iterable[Condition], cap: int) -> Statement:
        found, most = self._union(sql.SQL("1"), list(where), [], up_to(cap)), up_to(cap)
        all = sql.SQL("SELECT FROM ({}) AS found").format(found.query) + most.query
        return Statement(sql.SQL("SELECT count(*) FROM ({}) AS counted").format(all), [*found.values, *most.values])

    def _union(
        self, what: sql.Composable, where: Sequence[Condition], marks: Sequence[Statement], tail: Statement
    ) -> Statement:
        parts = [part.select(what, where, marks, tail) for part in self._parts]
        query = sql.SQL(" UNION ALL ").join(sql.SQL("({})").format(part.query) for part in parts)
        return Statement(query, [value for part in parts for value in part.values])
