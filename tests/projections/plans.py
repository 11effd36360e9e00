"""What PostgreSQL makes of a statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import psycopg
from psycopg import sql

from projections.listing import Statement

MAX_COST = 2_000.0
"""Far below what reading or sorting a whole table of the tests costs."""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def explained(connection: psycopg.Connection[Any], statement: Statement) -> dict[str, Any]:
    query = sql.SQL("EXPLAIN (FORMAT JSON) ") + statement.query
    row = connection.execute(query, statement.values).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def assert_indexed(
    connection: psycopg.Connection[Any],
    statement: Statement,
    *,
    by: str | None = None,
    most: float = MAX_COST,
    small: Collection[str] = (),
) -> None:
    """Neither reads a whole table, but for those the domain keeps small, nor sorts one. `by`: an index it must use."""
    plan = explained(connection, statement)
    assert {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"} <= set(small), plan
    assert plan["Total Cost"] < most, plan
    assert by is None or by in {node.get("Index Name") for node in nodes(plan)}, plan
