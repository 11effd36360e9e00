from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest

from projections.listing import Condition, Mark, Ordering, Page
from projections.models import MODELS
from projections.orders.queries import ORDERS
from projections.schema import prepare
from read_api.orders.where import OrdersOrderBy
from tests.projections.plans import assert_indexed

FILL = """
INSERT INTO orders_1.orders (id, version, updated_at, status, customer_id, currency, lines, shipping, tax, total,
    shipments, returns, timeline, created_at)
SELECT gen_random_uuid(), 1, now(), (ARRAY['DRAFT', 'PLACED', 'CONFIRMED', 'SHIPPED', 'DELIVERED'])[1 + n % 5],
    ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid, 'EUR', '[]', 0, 0, 0, '[]', '[]', '[]',
    timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n
"""
CUSTOMER = UUID("00000000-0000-4000-8000-000000000007")
MIDDLE = Mark(datetime(2026, 1, 7, tzinfo=UTC), CUSTOMER)

ORDERINGS: list[Ordering] = [member.value for member in OrdersOrderBy]
FILTERS: list[list[Condition]] = [
    [],
    [Condition("customer_id", "eq", CUSTOMER)],
    [Condition("customer_id", "in", [CUSTOMER])],
    [Condition("status", "eq", "PLACED")],
    [Condition("status", "in", ["PLACED", "CONFIRMED"])],
    [Condition("created_at", "gte", MIDDLE.value)],
    [Condition("created_at", "lte", MIDDLE.value)],
    [Condition("customer_id", "eq", CUSTOMER), Condition("status", "eq", "PLACED")],
    [Condition("status", "eq", "PLACED"), Condition("created_at", "gte", MIDDLE.value)],
]
PAGES = [Page(100), Page(100, backward=True), Page(100, after=MIDDLE), Page(100, backward=True, before=MIDDLE)]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """20,000 orders of 500 customers."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE orders_1.orders")
        yield connection


@pytest.mark.parametrize("where, ordering", [*product(FILTERS, ORDERINGS)], ids=str)
def test_every_page_of_every_list_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: list[Condition], ordering: Ordering
) -> None:
    for page in PAGES:
        assert_indexed(filled, ORDERS.statement(where, ordering, page))
