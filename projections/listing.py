"""Lists by key set: any page of a table in an indexed order costs the same, however deep it lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic
from uuid import UUID

from psycopg import sql

from projections.generations import READS
from projections.pool import Pool, connected
from projections.table import R, Table
from projections.words import query

OPERATORS: Final[dict[str, sql.SQL]] = {
    "eq": sql.SQL("t.{} = %s"),
    "in": sql.SQL("t.{} = ANY(%s)"),
    "gte": sql.SQL("t.{} >= %s"),
    "lte": sql.SQL("t.{} <= %s"),
    "has": sql.SQL("t.{} @> ARRAY[%s]"),
    "any": sql.SQL("t.{} && %s"),
    "words": sql.SQL("t.{} @@ %s::tsquery"),
    "each": sql.SQL("t.{} = owner.value"),
}

EACH: Final = sql.SQL("""
SELECT owner.number, found.found FROM unnest(%s::uuid[]) WITH ORDINALITY AS owner (value, number)
CROSS JOIN LATERAL (SELECT row_number() OVER () AS place, page.found FROM ({}) AS page (found)) AS found
ORDER BY owner.number, found.place
""")


@dataclass(frozen=True, slots=True)
class Condition:
    """A column compared with a value by one of OPERATORS; all conditions of a list must hold.

    `words` compares a tsvector with a text: every word of it is there, or a longer one that begins with it. `each` is
    for lists of many owners at once, and compares with the owner.
    """

    column: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Ordering:
    """By a column that is never null, and by id where that is equal."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A row's place in an ordering: its sort value and its id."""

    value: Any
    id: UUID


@dataclass(frozen=True, slots=True)
class Page:
    """At most `size` rows strictly between two places: the first of them, or, `backward`, the last."""

    size: int
    backward: bool = False
    after: Mark | None = None
    before: Mark | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """The rows of a page in the ordering's direction; `more`: in the direction of paging there are others."""

    rows: Sequence[R]
    more: bool


@dataclass(frozen=True, slots=True)
class Statement:
    query: sql.Composed
    values: Sequence[Any]


class Listing(Generic[R]):
    """What readers ask of one table of a read model, in its live generation."""

    def __init__(self, table: Table[R]) -> None:
        self.table = table
        self._from = sql.SQL(" FROM {} t").format(sql.Identifier(READS, table.name))

    async def page(self, pool: Pool, where: Iterable[Condition], ordering: Ordering, page: Page) -> Found[R]:
        return found_in(await self._rows(pool, self.statement(where, ordering, page)), page)

    async def count(self, pool: Pool, where: Iterable[Condition], cap: int) -> int:
        """How many rows there are; counting stops at `cap`."""
        statement = self.counting(where, cap)
        async with connected(pool) as connection:
            found = await (await connection.execute(statement.query, statement.values)).fetchone()
        assert found is not None
        return int(found[0])

    async def many(self, pool: Pool, ids: Iterable[UUID]) -> dict[UUID, R]:
        async with connected(pool) as connection:
            return await self.table.load(connection, READS, ids)

    async def one(self, pool: Pool, id: UUID) -> R | None:
        return (await self.many(pool, [id])).get(id)

    async def each(self, pool: Pool, ids: Sequence[UUID]) -> list[R | None]:
        """In the order of the ids; None where there is none."""
        found = await self.many(pool, ids)
        return [found.get(id) for id in ids]

    async def pages(
        self,
        pool: Pool,
        column: str,
        values: Sequence[UUID],
        where: Iterable[Condition],
        ordering: Ordering,
        page: Page,
    ) -> list[Found[R]]:
        """For each value the page of the list in which `column` has it: one statement for all of them."""
        inner = self.statement([*where, Condition(column, "each", None)], ordering, page)
        async with connected(pool) as connection:
            cursor = await connection.execute(EACH.format(inner.query), [values, *inner.values])
            answer = await cursor.fetchall()
        rows: list[list[R]] = [[] for _ in values]
        for (number, _), row in zip(answer, self.table.decoded((text,) for _, text in answer), strict=True):
            rows[number - 1].append(row)
        return [found_in(each, page) for each in rows]

    async def counts(
        self, pool: Pool, column: str, values: Sequence[UUID], where: Iterable[Condition], cap: int
    ) -> list[int]:
        """For each value how many rows there are in which `column` has it; counting stops at `cap`."""
        inner = self.counting([*where, Condition(column, "each", None)], cap)
        async with connected(pool) as connection:
            answer = await (await connection.execute(EACH.format(inner.query), [values, *inner.values])).fetchall()
        return [int(count) for _, count in answer]

    def statement(self, where: Iterable[Condition], ordering: Ordering, page: Page) -> Statement:
        """Selects one row more than the page holds, from the end at which paging starts."""
        return self.select(self.table.selected(), where, between(ordering, page), sorted_to(ordering, page))

    def counting(self, where: Iterable[Condition], cap: int) -> Statement:
        inner = self.select(sql.SQL("1"), where, [], up_to(cap))
        return Statement(sql.SQL("SELECT count(*) FROM ({}) AS counted").format(inner.query), inner.values)

    def select(
        self, what: sql.Composable, where: Iterable[Condition], marks: Sequence[Statement], tail: Statement
    ) -> Statement:
        """`what` of the table, which is called `t`."""
        where = list(where)
        conditions = [condition(c) for c in where]
        if any(c.operator == "words" for c in where):
            # OFFSET 0 keeps PostgreSQL from looking for a rare word by going through everything in the ordering
            inner = joined(sql.SQL("SELECT *") + self._from, conditions, Statement(sql.SQL(" OFFSET 0").format(), []))
            found = sql.SQL("SELECT {} FROM ({}) t").format(what, inner.query)
            outer = joined(found, marks, tail)
            return Statement(outer.query, [*inner.values, *outer.values])
        return joined(sql.SQL("SELECT ") + what + self._from, [*conditions, *marks], tail)

    async def _rows(self, pool: Pool, statement: Statement) -> list[R]:
        async with connected(pool) as connection:
            cursor = await connection.execute(statement.query, statement.values)
            return self.table.decoded(await cursor.fetchall())


def found_in(rows: Sequence[R], page: Page) -> Found[R]:
    """Of rows selected by `Listing.statement`, one more than the page holds."""
    more, rows = len(rows) > page.size, rows[: page.size]
    return Found(rows[::-1] if page.backward else rows, more)


def between(ordering: Ordering, page: Page) -> list[Statement]:
    return [
        past(ordering.column, mark, ascending=beyond)
        for mark, beyond in ((page.after, not ordering.descending), (page.before, ordering.descending))
        if mark is not None
    ]


def sorted_to(ordering: Ordering, page: Page) -> Statement:
    order = sql.SQL(" ORDER BY t.{column} {way}, t.id {way}").format(
        column=sql.Identifier(ordering.column),
        way=sql.SQL("ASC" if ordering.descending is page.backward else "DESC"),
    )
    limit = up_to(page.size + 1)
    return Statement(order + limit.query, limit.values)


def up_to(most: int) -> Statement:
    return Statement(sql.SQL(" LIMIT %s").format(), [most])


def joined(select: sql.Composable, where: Sequence[Statement], tail: Statement) -> Statement:
    wheres = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(w.query for w in where) if where else sql.SQL("")
    return Statement(select + wheres + tail.query, [*(v for w in where for v in w.values), *tail.values])


def condition(condition: Condition) -> Statement:
    value = query(condition.value) if condition.operator == "words" else condition.value
    if condition.operator == "each":
        return Statement(OPERATORS["each"].format(sql.Identifier(condition.column)), [])
    if value is None:
        return Statement(sql.SQL("false").format(), [])
    return Statement(OPERATORS[condition.operator].format(sql.Identifier(condition.column)), [value])


def past(column: str, mark: Mark, *, ascending: bool) -> Statement:
    """Beyond a place, in the direction given; one comparison of pairs, which an index on the pair serves."""
    query = sql.SQL("(t.{}, t.id) {} (%s, %s)").format(sql.Identifier(column), sql.SQL(">" if ascending else "<"))
    return Statement(query, [mark.value, mark.id])
