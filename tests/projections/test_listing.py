from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.listing import Condition, Listing, Mark, Ordering, Page, Statement
from projections.table import Table

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ThingRow:
    id: UUID
    version: int
    updated_at: datetime
    kind: str
    created_at: datetime


THINGS = Listing(Table("things", ThingRow))
orderings = st.builds(Ordering, st.sampled_from(["created_at", "version"]), st.booleans())
wheres = st.sampled_from([[], [Condition("kind", "eq", "a")], [Condition("kind", "in", ["b", "c"])]])


@pytest.fixture(scope="module")
def things(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Things of three kinds, of which many share their times and versions."""
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE reads.things (id uuid PRIMARY KEY, version bigint, updated_at timestamptz, kind text,"
            " created_at timestamptz)"
        )
        for n in range(60):
            connection.execute(
                "INSERT INTO reads.things VALUES (gen_random_uuid(), %s, now(), %s, %s)",
                [n % 4, "abc"[n % 3], AT + timedelta(microseconds=n // 7)],
            )
        yield connection


def asked(connection: psycopg.Connection[Any], statement: Statement) -> list[ThingRow]:
    return THINGS.table.decoded(connection.execute(statement.query, statement.values).fetchall())


def expected(connection: psycopg.Connection[Any], where: list[Condition], ordering: Ordering) -> list[UUID]:
    rows = asked(connection, THINGS.statement(where, Ordering("id"), Page(1000)))
    rows.sort(key=lambda row: (getattr(row, ordering.column), row.id), reverse=ordering.descending)
    return [row.id for row in rows]


def walked(
    connection: psycopg.Connection[Any], where: list[Condition], ordering: Ordering, size: int, *, backward: bool
) -> list[UUID]:
    """Every page in turn, from one end to the other, in the ordering's direction."""
    seen: list[UUID] = []
    mark: Mark | None = None
    while True:
        page = Page(size, backward, before=mark) if backward else Page(size, after=mark)
        rows = asked(connection, THINGS.statement(where, ordering, page))
        seen += [row.id for row in rows[:size]]
        if len(rows) <= size:
            return seen[::-1] if backward else seen
        last = rows[size - 1]
        mark = Mark(getattr(last, ordering.column), last.id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(where=wheres, ordering=orderings, size=st.integers(1, 70), backward=st.booleans())
def test_paging_visits_each_row_exactly_once(
    things: psycopg.Connection[Any], where: list[Condition], ordering: Ordering, size: int, backward: bool
) -> None:
    assert walked(things, where, ordering, size, backward=backward) == expected(things, where, ordering)


def test_counting_stops_at_the_cap(things: psycopg.Connection[Any]) -> None:
    for cap, count in ((5, 5), (100, 60)):
        statement = THINGS.counting([], cap)
        assert things.execute(statement.query, statement.values).fetchone() == (count,)
