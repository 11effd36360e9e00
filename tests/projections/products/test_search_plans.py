"""Every search of a large shop is served by indexes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from domain.products.product import ProductStatus
from projections.listing import Condition, Mark, Ordering, Page, Statement
from projections.models import MODELS
from projections.products.queries import BY_SKU, OF_ORDERS, PATHS, RESERVATIONS, STOCK, SUBTREE
from projections.products.search import MOST, Prices, Search, Sort, counting, finding, ordering_of, statement
from projections.schema import prepare
from tests.projections.plans import MAX_COST, assert_indexed, explained, nodes

COST_OF_A_LOOK = 15  # at one product's stock, by PostgreSQL's own measure; twice for a search of what is in stock

# Every word of 5,000 is in some six names; each description has three of 50 words; each product has two variants.
FILL = """
INSERT INTO products_1.products (id, version, updated_at, status, name, description, category_id, attributes, images,
    options, variants, skus, currency, min_price, max_price, created_at)
SELECT md5('p' || n)::uuid, 1, now(), 'ACTIVE', 'Product ' || n, '', NULL, '{}', '[]', '[]', '[]', ARRAY['SKU-' || n],
    'EUR', 1, 1, now()
FROM generate_series(1, 30000) n;
INSERT INTO products_1.product_search (id, version, updated_at, status, name_key, category_id, attributes, variants,
    said, sold, currency, min_price, created_at)
SELECT md5('p' || n)::uuid, 1, now(), (ARRAY['DRAFT', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'DISCONTINUED'])[1 + n % 5],
    'product ' || n * 7919 % 30000, ('00000000-0000-4000-8000-' || lpad((n % 201)::text, 12, '0'))::uuid,
    jsonb_build_object('colour', 'colour ' || n % 300, 'size', 'size ' || n % 7), '[]',
    setweight(to_tsvector('simple', 'name' || n % 5000), 'A')
        || to_tsvector('simple', 'text' || n % 50 || ' text' || n % 49 || ' text' || n % 47),
    setweight(to_tsvector('simple', 'sku' || n), 'B'), CASE WHEN n % 4 = 0 THEN 'JPY' ELSE 'EUR' END,
    n::bigint * 104729 % 50000, timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 30000) n;
INSERT INTO products_1.stock
SELECT gen_random_uuid(), 1, now(), md5('p' || (n + 1) / 2)::uuid,
    (ARRAY['IN_STOCK', 'IN_STOCK', 'OUT_OF_STOCK', 'LOW'])[1 + n % 4], 9, 0, CASE WHEN n % 3 = 0 THEN 0 ELSE 9 END, 0
FROM generate_series(1, 60000) n;
INSERT INTO products_1.categories
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, now(), 'Category ' || n,
    CASE WHEN n > 0 THEN ('00000000-0000-4000-8000-' || lpad((n / 6)::text, 12, '0'))::uuid END, false
FROM generate_series(0, 1999) n;
INSERT INTO products_1.reservations
SELECT gen_random_uuid(), 1, now(), md5('o' || n)::uuid, (ARRAY['COMMITTED', 'RELEASED', 'HELD'])[1 + n % 3], '[]',
    timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n;
"""
TABLES = ("products", "product_search", "stock", "categories", "reservations")


def category(number: int) -> UUID:
    return UUID(f"00000000-0000-4000-8000-{number:012}")


SOMETHING = category(7)
WITHIN: dict[UUID | None, list[UUID] | None] = {None: None, SOMETHING: [category(7), *map(category, range(42, 48))]}
EVERY = tuple(ProductStatus)
SEARCHES = [
    Search(),
    Search(statuses=EVERY),
    Search(statuses=(ProductStatus.DRAFT, ProductStatus.ACTIVE)),
    Search("name77"),
    Search("name77", statuses=EVERY),
    Search("name7 text7"),
    Search("sku1234"),
    Search("text7 text17"),
    Search("茶碗"),
    Search(category=SOMETHING),
    Search("text7", category=SOMETHING),
    Search(prices=Prices("EUR", 1000, 2000)),
    Search(prices=Prices("EUR", 20_000)),
    Search(attributes={"colour": ["colour 7", "colour 8"]}),
    Search(attributes={"size": ["size 3"]}),
    Search(in_stock=True),
    Search(in_stock=False),
    Search("text7", in_stock=True),
    Search("name77", SOMETHING, Prices("EUR", 1000), in_stock=True, attributes={"size": ["size 3"]}),
]
MIDDLE: dict[str, Any] = {
    "score": 100_000,
    "created_at": datetime(2026, 1, 7, tzinfo=UTC),
    "min_price": 25_000,
    "name_key": "product 5",
}


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """30,000 products of two variants in 201 of 2,000 categories."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        for table in TABLES:
            connection.execute(f"VACUUM ANALYZE products_1.{table}")
        yield connection


@pytest.mark.parametrize("search, sort", [*product(SEARCHES, Sort)], ids=str)
def test_every_page_of_every_search_is_served_by_indexes(
    filled: psycopg.Connection[Any], search: Search, sort: Sort
) -> None:
    mark = Mark(MIDDLE[ordering_of(search, sort).column], SOMETHING)
    for page in (Page(50), Page(50, after=mark), Page(50, backward=True), Page(50, backward=True, before=mark)):
        statement = finding(search, WITHIN[search.category], sort, page)
        assert_indexed(filled, statement, by="product_search_by_words" if search.words else None, most=2 * MAX_COST)


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_what_is_counted_is_found_by_indexes(filled: psycopg.Connection[Any], search: Search) -> None:
    """Of each of MOST products the stock is looked up: that is what the cost is."""
    most = MAX_COST + MOST * COST_OF_A_LOOK
    assert_indexed(filled, counting(search, WITHIN[search.category]), most=most, small=["categories"])


STOCK_FILTERS: list[list[Condition]] = [
    [Condition("status", "eq", "LOW")],
    [Condition("product_id", "eq", SOMETHING)],
    [Condition("status", "eq", "OUT_OF_STOCK"), Condition("product_id", "gte", SOMETHING)],
]
RESERVATION_FILTERS: list[list[Condition]] = [
    [Condition("order_id", "eq", SOMETHING)],
    [Condition("status", "eq", "HELD")],
    [Condition("status", "eq", "HELD"), Condition("held_at", "lte", MIDDLE["created_at"])],
]


@pytest.mark.parametrize("where", STOCK_FILTERS, ids=str)
def test_lists_of_stock_are_served_by_an_index(filled: psycopg.Connection[Any], where: list[Condition]) -> None:
    for page in (Page(50), Page(50, after=Mark(SOMETHING, SOMETHING)), Page(50, backward=True)):
        assert_indexed(filled, STOCK.statement(where, Ordering("product_id"), page))


@pytest.mark.parametrize("where", RESERVATION_FILTERS, ids=str)
def test_lists_of_reservations_are_served_by_an_index(filled: psycopg.Connection[Any], where: list[Condition]) -> None:
    for page in (Page(50), Page(50, after=Mark(MIDDLE["created_at"], SOMETHING)), Page(50, backward=True)):
        assert_indexed(filled, RESERVATIONS.statement(where, Ordering("held_at"), page))


def test_what_belongs_to_orders_and_skus_is_found_by_an_index(filled: psycopg.Connection[Any]) -> None:
    assert_indexed(filled, statement(OF_ORDERS, [SOMETHING, category(8)]))
    assert_indexed(filled, statement(BY_SKU, ["SKU-7", "SKU-8"]))


def test_stock_is_found_by_the_ids_of_variants(filled: psycopg.Connection[Any]) -> None:
    [(id,)] = filled.execute("SELECT id FROM products_1.stock LIMIT 1")
    query = sql.SQL("SELECT {} FROM reads.stock t WHERE id = ANY(%s)").format(STOCK.table.selected())
    assert_indexed(filled, Statement(query, [[id, SOMETHING]]), by="stock_pkey")


def test_a_path_leads_upwards_by_ids(filled: psycopg.Connection[Any]) -> None:
    plan = explained(filled, Statement(sql.Composed([sql.SQL(PATHS.replace("%(ids)s", "%s"))]), [[SOMETHING]]))
    assert {node.get("Index Name") for node in nodes(plan)} & {"categories_pkey"}


def test_a_subtree_reads_no_other_table_than_the_small_one(filled: psycopg.Connection[Any]) -> None:
    assert_indexed(filled, statement(SUBTREE, SOMETHING), small=["categories"])
