"""Notifications in the read database, and the plans of their lists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from projections.consumer import Consumer
from projections.listing import Condition, Mark, Ordering, Page
from projections.models import MODELS
from projections.notifications.projector import NOTIFICATIONS as MODEL
from projections.notifications.projector import notifications
from projections.notifications.queries import NOTIFICATIONS
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from tests.domain.notifications.samples import HANA, WAYS_TO, for_staff, in_the_inbox, was_read
from tests.projections.fakes import FakeFeed, folded
from tests.projections.plans import assert_indexed
from tests.projections.stories import told

# Most of what is in an inbox was read; what is for the staff has no user.
FILL = """
INSERT INTO notifications_1.notifications (id, version, updated_at, user_id, audience, channel, trigger, locale, cause,
    facts, status, unread, requested_at)
SELECT gen_random_uuid(), 1, now(),
    CASE WHEN n % 50 = 0 THEN NULL ELSE ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid END,
    CASE WHEN n % 50 = 0 THEN 'staff' END, (ARRAY['EMAIL', 'IN_APP', 'PUSH', 'SMS'])[1 + n % 4],
    (ARRAY['order-placed', 'order-shipped', 'registered'])[1 + n % 3], 'en', gen_random_uuid(), '{}',
    (ARRAY['SENT', 'SENT', 'SENT', 'SENT', 'FAILED', 'REQUESTED'])[1 + n % 6], n % 4 = 1 AND n % 80 = 1,
    timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 20000) n
"""
SOMEBODY = UUID("00000000-0000-4000-8000-000000000007")
MIDDLE = Mark(datetime(2026, 1, 7, tzinfo=UTC), SOMEBODY)
MINE = Condition("user_id", "eq", SOMEBODY)

ORDERINGS = [Ordering("requested_at"), Ordering("requested_at", descending=True)]
PAGES = [Page(100), Page(100, backward=True), Page(100, after=MIDDLE), Page(100, backward=True, before=MIDDLE)]
FILTERS: list[list[Condition]] = [
    [],
    [MINE],
    [MINE, Condition("unread", "eq", True)],
    [MINE, Condition("channel", "eq", "IN_APP")],
    [MINE, Condition("status", "eq", "FAILED")],
    [Condition("user_id", "in", [SOMEBODY])],
    [Condition("audience", "eq", "staff")],
    [Condition("audience", "eq", "staff"), Condition("unread", "eq", True)],
    [Condition("status", "eq", "FAILED")],
    [Condition("status", "in", ["FAILED", "REQUESTED"])],
    [Condition("channel", "eq", "SMS")],
    [Condition("trigger", "eq", "registered")],
    [Condition("unread", "eq", True)],
    [Condition("requested_at", "gte", MIDDLE.value)],
    [Condition("status", "eq", "FAILED"), Condition("requested_at", "gte", MIDDLE.value)],
]


@pytest.fixture(scope="module")
def filled(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """20,000 notifications to 500 users and to the staff."""
    asyncio.run(prepare(module_database, MODELS))
    with psycopg.connect(module_database, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE notifications_1.notifications")
        yield connection


@pytest.mark.parametrize("where, ordering", [*product(FILTERS, ORDERINGS)], ids=str)
def test_every_page_is_served_by_an_index(
    filled: psycopg.Connection[Any], where: list[Condition], ordering: Ordering
) -> None:
    for page in PAGES:
        assert_indexed(filled, NOTIFICATIONS.statement(where, ordering, page))


async def test_rows_come_back_as_they_were_folded(pool: Pool) -> None:
    stories = [*WAYS_TO.values(), (for_staff,), (in_the_inbox, was_read)]
    feed = FakeFeed("notifications", [event for story in stories for event in told(story, uuid4())])
    consumer = Consumer(ModelSink(MODEL), feed, pool)
    await consumer.step(await consumer.open())
    expected = folded(MODEL, feed.log)
    assert await NOTIFICATIONS.many(pool, expected[notifications]) == expected[notifications]


async def test_the_inbox_is_what_its_owner_has_not_read(pool: Pool) -> None:
    unread, read = uuid4(), uuid4()
    feed = FakeFeed("notifications", [*told((in_the_inbox,), unread), *told((in_the_inbox, was_read), read)])
    consumer = Consumer(ModelSink(MODEL), feed, pool)
    await consumer.step(await consumer.open())
    mine = [Condition("user_id", "eq", HANA), Condition("unread", "eq", True)]
    found = await NOTIFICATIONS.page(pool, mine, ORDERINGS[1], Page(10))
    assert [row.id for row in found.rows] == [unread]
