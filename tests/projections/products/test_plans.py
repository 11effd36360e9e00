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
from projections.products.queries import PRODUCTS
from projections.schema import prepare
from read_api.products.where import ProductsOrderBy
from tests.projections.plans import assert_indexed

FILL = """
INSERT INTO products_1.products (id, version, updated_at, status, name, description, category_id, attributes, images,
    options, variants, skus, currency, min_price, max_price, created_at)
SELECT gen_random_uuid(), 1, now(), (ARRAY['DRAFT', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'DISCONTINUED'])[1 + n % 5],
    'Product ' || n * 7919 % 20000, '', ('00000000-0000-4000-8000-' || lpad((n % 201)::text, 12, '0'))::uuid,
    '{}', '[]', '[]', '[]', ARRAY['SKU-' || n], CASE n % 400 WHEN 0 THEN 'JPY' ELSE 'EUR' END,
    n * 104729 % 50000, 50000, timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n
"""
CATEGORY = UUID("00000000-0000-4000-8000-000000000007")
WHEN = datetime(2026, 1, 7, tzinfo=UTC)
MIDDLE = {"created_at": WHEN, "name": "Product 5", "min_price": 25_000}
ACTIVE = Condition("status", "eq", "ACTIVE")
EURO, RARE = Condition("currency", "eq", "EUR"), Condition("currency", "eq", "JPY")

ORDERINGS: list[Ordering] = [member.value for member in ProductsOrderBy]
FILTERS: list[list[Condition]] = [
    [],
    [ACTIVE],
    [Condition("status", "in", ["ACTIVE", "DRAFT"])],
    [Condition("category_id", "eq", CATEGORY)],
    [ACTIVE, Condition("category_id", "eq", CATEGORY)],
    [ACTIVE, Condition("category_id", "in", [CATEGORY])],
    [ACTIVE, Condition("min_price", "gte", 20_000), Condition("min_price", "lte", 30_000)],
    [EURO, Condition("min_price", "gte", 20_000), Condition("min_price", "lte", 30_000)],
    [ACTIVE, EURO],
    [ACTIVE, RARE],
    [ACTIVE, EURO, Condition("min_price", "gte", 20_000), Condition("min_price", "lte", 30_000)],
    [ACTIVE, Condition("created_at", "gte", WHEN)],
    [Condition("skus", "has", "SKU-77")],
]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """20,000 products in 201 categories, a few of them in a currency of their own."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE products_1.products")
        yield connection


@pytest.mark.parametrize("where, ordering", [*product(FILTERS, ORDERINGS)], ids=str)
def test_every_page_of_every_list_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: list[Condition], ordering: Ordering
) -> None:
    middle = Mark(MIDDLE[ordering.column], CATEGORY)
    for page in (Page(100), Page(100, backward=True), Page(100, after=middle), Page(100, backward=True, before=middle)):
        assert_indexed(filled, PRODUCTS.statement(where, ordering, page))
