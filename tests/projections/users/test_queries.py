"""Every list of users that staff can ask for is served by an index."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from projections.listing import Condition, Mark, Ordering, Page, Statement
from projections.models import MODELS
from projections.schema import prepare
from projections.users.blocked import BLOCKED
from projections.users.queries import SIGN_INS, USERS
from read_api.users.where import UsersOrderBy
from tests.projections.plans import assert_indexed

FILL = """
INSERT INTO users_1.users (id, version, updated_at, status, roles, email_key, words, addresses, locale, notices,
    history, created_at)
SELECT gen_random_uuid(), 1, timestamptz '2026-01-01' + n * interval '1 minute',
    CASE WHEN n % 50 = 0 THEN 'suspended' ELSE 'active' END,
    CASE WHEN n % 1000 = 0 THEN ARRAY['customer', 'staff'] ELSE ARRAY['customer'] END,
    'user' || n || '@example.org', to_tsvector('simple', 'user' || n || ' name' || n % 100), '[]', 'en', '{}', '[]',
    timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n;
INSERT INTO users_1.sign_ins (id, version, updated_at, user_id, sign_ins, failures)
SELECT gen_random_uuid(), 1, now(), md5('user' || n)::uuid, 1, 0 FROM generate_series(1, 20000) n
"""
MIDDLE = Mark(datetime(2026, 1, 7, tzinfo=UTC), UUID(int=7))

ORDERINGS: list[Ordering] = [member.value for member in UsersOrderBy]
FILTERS: list[list[Condition]] = [
    [],
    [Condition("email_key", "eq", "user7@example.org")],
    [Condition("roles", "has", "staff")],
    [Condition("roles", "has", "customer")],
    [Condition("status", "eq", "active")],
    [Condition("status", "eq", "suspended")],
    [Condition("status", "in", ["suspended", "erased"])],
    [Condition("created_at", "gte", MIDDLE.value)],
    [Condition("words", "words", "?!")],
]
SEARCHES: list[list[Condition]] = [
    [Condition("words", "words", "user77")],
    [Condition("words", "words", "user777 name7")],
    [Condition("words", "words", "name7"), Condition("status", "eq", "active")],
]
PAGES = [Page(100), Page(100, backward=True), Page(100, after=MIDDLE)]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """20,000 users, of whom 20 are staff and 400 suspended."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE users_1.users, users_1.sign_ins")
        yield connection


@pytest.mark.parametrize("where, ordering", [*product(FILTERS, ORDERINGS)], ids=str)
def test_every_page_of_every_list_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: list[Condition], ordering: Ordering
) -> None:
    for page in PAGES:
        assert_indexed(filled, USERS.statement(where, ordering, page))


@pytest.mark.parametrize("where, ordering", [*product(SEARCHES, ORDERINGS)], ids=str)
def test_words_are_looked_up_and_not_met_on_a_way_through_everybody(
    filled: psycopg.Connection[Any], where: list[Condition], ordering: Ordering
) -> None:
    for page in PAGES:
        assert_indexed(filled, USERS.statement(where, ordering, page), by="users_by_words")
    assert_indexed(filled, USERS.counting(where, 10_001), by="users_by_words")


def test_sign_ins_and_who_is_blocked_are_found_by_an_index(filled: psycopg.Connection[Any]) -> None:
    assert_indexed(filled, Statement(sql.Composed([SIGN_INS]), [[MIDDLE.id, UUID(int=8)]]), by="sign_ins_by_user")
    assert_indexed(filled, Statement(sql.Composed([sql.SQL(BLOCKED)]), [timedelta(minutes=20)]), by="users_blocked")
