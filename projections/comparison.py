"""Two generations of a read model, row by row, while both are being written to.

Rows whose version is the same on both sides must be equal. One that is further on one side is looked at again until
both have it at the same version, or both have seen the same events and still differ: then it is named.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row

from domain.ids import SLICES
from projections.checkpoint import Checkpoint
from projections.generations import Generation, checkpoint_of, tables_of
from projections.model import Model
from projections.pool import Connection, Pool, connected

STRETCH: Final = 5_000  # rows a statement compares
MOST_OPEN: Final = 2_000  # rows to be looked at again, before going on with others
MOST_NAMED: Final = 1_000  # differences named; all are counted
SETTLE: Final = 30.0  # seconds for which unequal versions are looked at again
AGAIN: Final = 0.1  # seconds between looks
FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)


class Kind(StrEnum):
    DIFFERENT = "DIFFERENT"  # at the same version
    MISSING = "MISSING"  # only the live generation has it
    SURPLUS = "SURPLUS"  # only the other one has it
    VERSION = "VERSION"  # at different versions, though both have seen the same events
    UNSETTLED = "UNSETTLED"  # at different versions whenever it was looked at: it is being written to


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same. Names of columns only: their values may be personal."""

    table: str
    key: str
    kind: Kind
    live_version: int | None = None
    version: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """`live` and `other` are generations (`orders@1`), `rows` the live one's by table."""

    live: str
    other: str
    rows: Counter[str] = field(default_factory=Counter)
    counts: Counter[Kind] = field(default_factory=Counter)
    named: list[Difference] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    """By table, the columns that only one of them has: they are not compared."""
    skipped: list[str] = field(default_factory=list)
    """Tables of sums that could not be compared, since the two were never found at the same checkpoint."""

    @property
    def equal(self) -> bool:
        return not self.counts and not self.skipped

    def add(self, difference: Difference) -> None:
        self.counts[difference.kind] += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(difference)

    def summary(self) -> dict[str, Any]:
        """As JSON, with the first differences."""
        return {
            "live": self.live,
            "generation": self.other,
            "equal": self.equal,
            "rows": dict(self.rows),
            "differences": {str(kind): n for kind, n in self.counts.items()},
            "columnsOfOneOnly": self.columns,
            "notCompared": self.skipped,
            "named": [asdict(difference) for difference in self.named[:20]],
        }


def verdict(summary: Mapping[str, Any]) -> str:
    """What a summary comes to, in a sentence."""
    if summary["equal"]:
        return "no difference."
    found = ", ".join(f"{n} {kind.lower()}" for kind, n in summary["differences"].items())
    skipped = ", ".join(summary["notCompared"])
    return (f"differences: {found}. " if found else "") + (f"Not compared: {skipped}." if skipped else "")


Tell = Callable[[str, int], None]
"""Told now and then how many rows of a table were compared."""


def nobody(table: str, rows: int) -> None:
    pass


async def compare(
    pool: Pool, model: Model, live: Generation, other: Generation, *, settle: float = SETTLE, tell: Tell = nobody
) -> Comparison:
    """All tables, a stretch of rows at a time."""
    found = Comparison(live.name, other.name)
    for table in await _tables(pool, live, other):
        compared = _Compared(pool, model, live, other, table, found, settle)
        if table.only:
            found.columns[table.name] = list(table.only)
        if "version" in table.common:
            await compared.rows(tell)
        elif table.common:
            await compared.sums()
    return found


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    common: Sequence[str]
    key: Sequence[str]
    only: Sequence[str]

    def same(self) -> sql.Composable:
        """Compares the columns both have, `l` with `o`; json as the text it is stored as."""
        sides = (
            sql.SQL(", ").join(sql.SQL("{}.{}::text").format(side, sql.Identifier(c)) for c in self.common)
            for side in (sql.SQL("l"), sql.SQL("o"))
        )
        return sql.SQL("({}) IS NOT DISTINCT FROM ({})").format(*sides)


@dataclass(slots=True)
class _Compared:
    """The comparison of one table, on its way."""

    pool: Pool
    model: Model
    live: Generation
    other: Generation
    table: _Table
    found: Comparison
    settle: float

    async def rows(self, tell: Tell) -> None:
        """In order of id, so that no more than a stretch and the open rows are in memory."""
        open: set[UUID] = set()
        after = FIRST
        while after < LAST:
            async with connected(self.pool) as connection:
                upto = await self._end_of_stretch(connection, after)
                unequal, rows = await self._unequal_between(connection, after, upto)
            self.found.rows[self.table.name] += rows
            tell(self.table.name, self.found.rows[self.table.name])
            open |= {id for id, _, _ in unequal}
            if len(open) > MOST_OPEN:
                await self._settle(open)
                open = set()
            after = upto
        await self._settle(open)

    async def sums(self) -> None:
        """Sums depend on how far a generation is: they are compared in a snapshot that has both at the same place."""
        ends = time.monotonic() + self.settle
        while True:
            async with connected(self.pool) as connection:
                await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                if await self._at_the_same_place(connection):
                    await self._compare_sums(connection)
                    return
            if time.monotonic() > ends:
                self.found.skipped.append(self.table.name)
                return
            await asyncio.sleep(AGAIN / 10)

    async def _end_of_stretch(self, connection: Connection, after: UUID) -> UUID:
        query = sql.SQL("SELECT id FROM {} WHERE id > %s ORDER BY id OFFSET %s LIMIT 1")
        cursor = await connection.execute(query.format(self._name(self.live)), [after, STRETCH - 1])
        found = await cursor.fetchone()
        return LAST if found is None else found[0]

    async def _unequal_between(
        self, connection: Connection, after: UUID, upto: UUID
    ) -> tuple[list[tuple[UUID, int | None, int | None]], int]:
        between = sql.SQL("id > %(after)s AND id <= %(upto)s")
        values = {"after": after, "upto": upto}
        unequal = await self._unequal(connection, between, values)
        count = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(self._name(self.live), between)
        counted = await (await connection.execute(count, values)).fetchone()
        assert counted is not None
        return unequal, counted[0]

    async def _unequal(
        self, connection: Connection, where: sql.Composable, values: dict[str, Any]
    ) -> list[tuple[UUID, int | None, int | None]]:
        """Id and the two versions of the rows that are not the same on both sides; one statement, one snapshot."""
        query = sql.SQL(
            "SELECT id, l.version, o.version FROM (SELECT * FROM {live} WHERE {where}) AS l"
            " FULL JOIN (SELECT * FROM {other} WHERE {where}) AS o USING (id)"
            " WHERE l.version IS DISTINCT FROM o.version OR NOT ({same})"
        ).format(live=self._name(self.live), other=self._name(self.other), where=where, same=self.table.same())
        return await (await connection.execute(query, values)).fetchall()

    async def _settle(self, open: set[UUID]) -> None:
        """Looks at rows again until they are equal, or named."""
        ends = time.monotonic() + self.settle
        while open:
            async with connected(self.pool) as connection:
                await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                unequal = await self._unequal(connection, sql.SQL("id = ANY(%(ids)s)"), {"ids": list(open)})
                final = await self._at_the_same_place(connection)
                late = time.monotonic() > ends
                named = [row for row in unequal if final or late or row[1] == row[2]]
                for id, live_version, version in named:
                    await self._name_row(connection, id, live_version, version, final=final)
            open = {id for id, _, _ in unequal} - {id for id, _, _ in named}
            if open:
                await asyncio.sleep(AGAIN)

    async def _name_row(
        self, connection: Connection, id: UUID, live_version: int | None, version: int | None, *, final: bool
    ) -> None:
        columns: tuple[str, ...] = ()
        if live_version == version and len(self.found.named) < MOST_NAMED:
            columns = await self._differing(connection, sql.SQL("id = %s"), [id])
            if not columns:
                return  # written otherwise, and yet the same
        kind = _kind(live_version, version, final=final)
        self.found.add(Difference(self.table.name, str(id), kind, live_version, version, columns))

    async def _differing(self, connection: Connection, where: sql.Composable, values: Sequence[Any]) -> tuple[str, ...]:
        """The names of the columns in which one row differs."""
        sides = []
        for generation in (self.live, self.other):
            query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t WHERE {}").format(self._name(generation), where)
            found = await (await connection.execute(query, values)).fetchone()
            sides.append(found[0] if found else {})
        return tuple(c for c in self.table.common if sides[0].get(c) != sides[1].get(c))

    async def _at_the_same_place(self, connection: Connection) -> bool:
        return all([await self._same_in(connection, context) for context in self.model.contexts])

    async def _same_in(self, connection: Connection, context: str) -> bool:
        live = await checkpoint_of(connection, self.live, context)
        other = await checkpoint_of(connection, self.other, context)
        return live is not None and other is not None and same_place(live, other)

    async def _compare_sums(self, connection: Connection) -> None:
        key = sql.SQL(", ").join(map(sql.Identifier, self.table.key))
        query = sql.SQL(
            "SELECT {key}, l IS NULL AS surplus, o IS NULL AS missing"
            " FROM {live} AS l FULL JOIN {other} AS o USING ({key}) WHERE NOT ({same})"
        ).format(key=key, live=self._name(self.live), other=self._name(self.other), same=self.table.same())
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(query)
        for row in await cursor.fetchall():
            kind = Kind.SURPLUS if row.pop("surplus") else Kind.MISSING if row.pop("missing") else Kind.DIFFERENT
            self.found.add(Difference(self.table.name, "/".join(str(row[c]) for c in self.table.key), kind))
        count = sql.SQL("SELECT count(*) FROM {}").format(self._name(self.live))
        counted = await (await connection.execute(count)).fetchone()
        self.found.rows[self.table.name] = counted[0] if counted else 0

    def _name(self, generation: Generation) -> sql.Identifier:
        return sql.Identifier(generation.schema, self.table.name)


def same_place(a: Checkpoint, b: Checkpoint) -> bool:
    """Both have seen the same events."""
    return a.incarnation == b.incarnation and all(a.of(slice) == b.of(slice) for slice in range(SLICES))


def _kind(live_version: int | None, version: int | None, *, final: bool) -> Kind:
    if live_version == version:
        return Kind.DIFFERENT
    if not final:
        return Kind.UNSETTLED
    if version is None:
        return Kind.MISSING
    return Kind.SURPLUS if live_version is None else Kind.VERSION


async def _tables(pool: Pool, live: Generation, other: Generation) -> list[_Table]:
    async with connected(pool) as connection:
        names = set(await tables_of(connection, live.schema)) | set(await tables_of(connection, other.schema))
        return [await _table(connection, live, other, name) for name in sorted(names)]


COLUMNS: Final = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
KEY: Final = """
SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY array_position(i.indkey::smallint[], a.attnum)
"""


async def _table(connection: Connection, live: Generation, other: Generation, name: str) -> _Table:
    of_live, of_other = [await _names(connection, COLUMNS, g, name) for g in (live, other)]
    key = await _names(connection, KEY, live, name)
    only = sorted(set(of_live) ^ set(of_other))
    return _Table(name, [c for c in of_live if c in of_other], key, only)


async def _names(connection: Connection, query: str, generation: Generation, table: str) -> list[str]:
    found: Iterable[Any] = await (await connection.execute(query, [f'"{generation.schema}"."{table}"'])).fetchall()
    return [name for (name,) in found]
