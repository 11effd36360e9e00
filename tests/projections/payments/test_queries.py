"""Payments in the read database, and the plans of their lists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.ids import OrderId, payment_of
from domain.payments.payment import ChargeStatus
from projections.consumer import Consumer
from projections.listing import Condition, Mark, Ordering, Page
from projections.models import MODELS
from projections.payments.projector import PAYMENTS as MODEL
from projections.payments.projector import payments, unmatched
from projections.payments.queries import PAYMENTS, UNMATCHED, payments_of
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from tests.domain.payments.samples import CAPTURED, INTENT, ORDER, WAYS_TO
from tests.projections.fakes import FakeFeed, folded
from tests.projections.payments.test_projector import lost
from tests.projections.plans import assert_indexed
from tests.projections.stories import told

FILL = """
INSERT INTO payments_1.payments (id, version, updated_at, order_id, customer_id, currency, status, due, authorised,
    captured, refunded, charged_back, paid, attempts, ledger, timeline, provider_ids, unmatched, state, created_at)
SELECT gen_random_uuid(), 1, now(), gen_random_uuid(),
    ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid, 'EUR',
    (ARRAY['NONE', 'AUTHORISED', 'CAPTURED', 'CAPTURED', 'REFUNDED'])[1 + n % 5], 0, 0, 0, 0, 0, 0, '[]', '[]', '[]',
    ARRAY['pi_' || n, 'ch_' || n], 0, '{}', timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n;
INSERT INTO payments_1.unmatched_outcomes
SELECT gen_random_uuid(), 3, now(), ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid,
    gen_random_uuid(), 'payments.payment-captured', 'pi', 1, 'EUR', now(),
    timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n
"""
SOMEBODY = UUID("00000000-0000-4000-8000-000000000007")
MIDDLE = Mark(datetime(2026, 1, 7, tzinfo=UTC), SOMEBODY)

ORDERINGS = [Ordering("created_at"), Ordering("created_at", descending=True)]
PAGES = [Page(100), Page(100, backward=True), Page(100, after=MIDDLE), Page(100, backward=True, before=MIDDLE)]
FILTERS: list[list[Condition]] = [
    [],
    [Condition("order_id", "eq", SOMEBODY)],
    [Condition("order_id", "in", [SOMEBODY, MIDDLE.id])],
    [Condition("customer_id", "eq", SOMEBODY)],
    [Condition("customer_id", "in", [SOMEBODY])],
    [Condition("status", "eq", "CAPTURED")],
    [Condition("status", "in", ["CAPTURED", "REFUNDED"])],
    [Condition("created_at", "gte", MIDDLE.value)],
    [Condition("created_at", "gte", MIDDLE.value), Condition("created_at", "lte", datetime(2026, 1, 9, tzinfo=UTC))],
    [Condition("provider_ids", "has", "ch_7")],
    [Condition("customer_id", "eq", SOMEBODY), Condition("status", "eq", "CAPTURED")],
    [Condition("status", "eq", "CAPTURED"), Condition("created_at", "gte", MIDDLE.value)],
]
UNMATCHED_FILTERS: list[list[Condition]] = [
    [],
    [Condition("payment_id", "eq", SOMEBODY)],
    [Condition("created_at", "gte", MIDDLE.value)],
]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """20,000 payments of 500 customers, and as many reports that fit none."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE payments_1.payments, payments_1.unmatched_outcomes")
        yield connection


@pytest.mark.parametrize("where, ordering", [*product(FILTERS, ORDERINGS)], ids=str)
def test_every_page_of_payments_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: list[Condition], ordering: Ordering
) -> None:
    for page in PAGES:
        assert_indexed(filled, PAYMENTS.statement(where, ordering, page))


@pytest.mark.parametrize("where, ordering", [*product(UNMATCHED_FILTERS, ORDERINGS)], ids=str)
def test_every_page_of_what_fits_nothing_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: Sequence[Condition], ordering: Ordering
) -> None:
    for page in PAGES:
        assert_indexed(filled, UNMATCHED.statement(where, ordering, page))


async def test_rows_come_back_as_they_were_folded(pool: Pool) -> None:
    stories = [*WAYS_TO.values(), (*CAPTURED, lost)]
    feed = FakeFeed("payments", [event for story in stories for event in told(story, uuid4())])
    consumer = Consumer(ModelSink(MODEL), feed, pool)
    await consumer.step(await consumer.open())
    expected = folded(MODEL, feed.log)
    assert await PAYMENTS.many(pool, expected[payments]) == expected[payments]
    assert await UNMATCHED.many(pool, expected[unmatched]) == expected[unmatched]


async def test_the_charge_status_of_an_order_is_found_by_its_id(pool: Pool) -> None:
    feed = FakeFeed("payments", told(CAPTURED, payment_of(ORDER)))
    consumer = Consumer(ModelSink(MODEL), feed, pool)
    await consumer.step(await consumer.open())
    row, none = await payments_of(pool, [ORDER, OrderId(uuid4())])
    assert row is not None
    assert (row.status, row.order_id, row.provider_ids) == (ChargeStatus.CAPTURED, ORDER, (INTENT,))
    assert none is None
