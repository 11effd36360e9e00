"""What PostgreSQL makes of a statement."""

from __future__ import annotations

from collections.abc import Iterator
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


def assert_indexed(connection: psycopg.Connection[Any], statement: Statement) -> None:
    """Neither reads a whole table nor sorts one."""
    plan = explained(connection, statement)
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(plan)}, plan
    assert plan["Total Cost"] < MAX_COST, plan
