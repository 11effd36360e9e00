"""Where followed rows come from: one look serves all who follow the same, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, Protocol
from uuid import UUID

from psycopg import sql

from projections.generations import READS
from projections.listing import Condition, Listing, Statement, condition, joined
from projections.pool import Pool, connected
from projections.table import R
from read_api.live.following import MOST, Follower

VERSIONS_OF: Final = sql.SQL("SELECT t.id, t.version, t.updated_at FROM {} t")
VERSIONS: Final = sql.SQL("SELECT t.id, t.version FROM {} t WHERE t.id = ANY(%s)")

NEWEST: Final = sql.SQL("""
SELECT owner.id, found.id, found.version, found.place, found.updated_at FROM unnest(%s::uuid[]) AS owner (id)
CROSS JOIN LATERAL (
    SELECT t.id, t.version, row_number() OVER (ORDER BY t.{by} DESC, t.id DESC) AS place, t.updated_at
    FROM {table} t WHERE t.{column} = owner.id ORDER BY t.{by} DESC, t.id DESC LIMIT %s
) AS found ORDER BY found.place
""")


class Source(Protocol):
    """`look` offers to each follower what has changed for them. Raises psycopg.Error, PoolTimeout."""

    async def look(self, pool: Pool, followers: Mapping[Any, Sequence[Follower[Any]]]) -> None:
        """`followers` by what they follow."""
        ...


class Things(Generic[R]):
    """Rows by their id: who follows several follows each."""

    def __init__(self, listing: Listing[R]) -> None:
        self._listing = listing
        self._versions = VERSIONS.format(sql.Identifier(READS, listing.table.name))

    async def look(self, pool: Pool, followers: Mapping[UUID, Sequence[Follower[R]]]) -> None:
        async with connected(pool) as connection:
            answer = await (await connection.execute(self._versions, [list(followers)])).fetchall()
        wanting = {(id, id, version): followers[id] for id, version in answer}
        await offer(self._listing, pool, wanting)


class Lists(Generic[R]):
    """The newest rows of an owner each."""

    def __init__(self, listing: Listing[R], column: str, by: str) -> None:
        self._listing = listing
        table = sql.Identifier(READS, listing.table.name)
        self._newest = NEWEST.format(table=table, column=sql.Identifier(column), by=sql.Identifier(by))

    async def look(self, pool: Pool, followers: Mapping[UUID, Sequence[Follower[R]]]) -> None:
        async with connected(pool) as connection:
            answer = await (await connection.execute(self._newest, [list(followers), MOST])).fetchall()
        owned: defaultdict[UUID, list[UUID]] = defaultdict(list)
        wanting = {}
        for owner, id, version, place, updated_at in answer:
            owned[owner].append(id)
            wanting[owner, id, version] = [f for f in followers[owner] if f.wants(id, version, place, updated_at)]
        await offer(self._listing, pool, wanting)
        for owner, those in followers.items():
            for follower in those:
                follower.keep(owned[owner])


class Matches(Generic[R]):
    """The newest rows for which conditions hold, and, once more, one for which they do not hold any more.

    Conditions are followed as a tuple of (column, operator, value); a look for each that differs.
    """

    def __init__(self, listing: Listing[R], by: str) -> None:
        self._listing = listing
        self._select = VERSIONS_OF.format(sql.Identifier(READS, listing.table.name))
        self._tail = sql.SQL(" ORDER BY t.{by} DESC, t.id DESC LIMIT %s").format(by=sql.Identifier(by))

    async def look(self, pool: Pool, followers: Mapping[tuple[Condition, ...], Sequence[Follower[R]]]) -> None:
        for where, those in followers.items():
            matching = await self._matching(pool, where)
            ids = [id for id, _, _ in matching]
            wanting = {
                (where, id, version): [f for f in those if f.wants(id, version, place, updated_at)]
                for place, (id, version, updated_at) in enumerate(matching, 1)
            }
            await offer(self._listing, pool, dict(reversed(wanting.items())))
            gone = {id for follower in those for id in follower.followed} - set(ids)
            left = await self._listing.many(pool, gone) if gone else {}
            for follower in those:
                follower.offer(left[id] for id in follower.followed if id in left)
                follower.keep(ids)

    async def _matching(self, pool: Pool, where: Sequence[Condition]) -> list[tuple[UUID, int, datetime]]:
        """The newest first."""
        statement = joined(self._select, [condition(listed(each)) for each in where], Statement(self._tail, [MOST]))
        async with connected(pool) as connection:
            return await (await connection.execute(statement.query, statement.values)).fetchall()


def listed(condition: Condition) -> Condition:
    """As the database takes it: an array is a list."""
    value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    return Condition(condition.column, condition.operator, value)


async def offer(listing: Listing[R], pool: Pool, found: Mapping[tuple[Any, UUID, int], Sequence[Follower[R]]]) -> None:
    """Reads what some follower lacks, all of it at once, and gives it to those who do."""
    lacking = {id for (_, id, version), those in found.items() if any(f.lacks(id, version) for f in those)}
    rows = await listing.many(pool, lacking) if lacking else {}
    for (_, id, _), those in found.items():
        for follower in those if id in rows else ():
            follower.offer([rows[id]])


def by_key(pairs: Iterable[tuple[Any, Follower[Any]]]) -> dict[Any, list[Follower[Any]]]:
    found: defaultdict[Any, list[Follower[Any]]] = defaultdict(list)
    for key, follower in pairs:
        found[key].append(follower)
    return dict(found)
