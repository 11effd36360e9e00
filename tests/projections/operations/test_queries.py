from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from projections.listing import Condition, Mark, Page
from projections.models import MODELS
from projections.operations.queries import LATEST_FIRST, OPERATIONS
from projections.schema import prepare
from tests.projections.plans import assert_indexed

FILL = """
INSERT INTO operations_1.operations (id, version, updated_at, status, kind, target, parameters, actor, correlation_id,
    requested_at)
SELECT gen_random_uuid(), 1, now(), (ARRAY['REQUESTED', 'DONE', 'FAILED', 'DENIED'])[1 + n % 4],
    (ARRAY['parked.retry', 'replay.start', 'log.import'])[1 + n % 3], 'target ' || n % 500, '{}', 'user:' || n % 70, '',
    timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n
"""
MIDDLE = Mark(datetime(2026, 1, 7, tzinfo=UTC), UUID(int=7))

FILTERS: list[list[Condition]] = [
    [],
    [Condition("actor", "eq", "user:7")],
    [Condition("kind", "eq", "replay.start")],
    [Condition("kind", "in", ["replay.start", "log.import"])],
    [Condition("status", "eq", "FAILED")],
    [Condition("target", "eq", "target 7")],
    [Condition("requested_at", "gte", MIDDLE.value)],
    [Condition("requested_at", "lte", MIDDLE.value), Condition("kind", "eq", "log.import")],
    [Condition("actor", "eq", "user:7"), Condition("status", "eq", "DENIED")],
]
PAGES = [Page(100), Page(100, backward=True), Page(100, after=MIDDLE), Page(100, backward=True, before=MIDDLE)]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """20,000 operations of 70 people."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE operations_1.operations")
        yield connection


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_every_page_of_every_list_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: list[Condition]
) -> None:
    for page in PAGES:
        assert_indexed(filled, OPERATIONS.statement(where, LATEST_FIRST, page))
