"""The background check finds what a log should never be, as it grows, and is quiet otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from infra.verify import watching
from infra.verify.finding import Code
from infra.verify.watching import LogWatch
from tests.domain.orders.samples import confirmed, placed
from tests.infra.stored import a_log, append, execute
from tests.projections.stories import told


@pytest.fixture
async def watch(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LogWatch]:
    monkeypatch.setattr(watching, "STRETCH", 7)
    async with AsyncConnectionPool(database, min_size=1, max_size=2, open=False) as pool:
        await a_log(database)
        yield LogWatch(pool, "orders")


async def caught_up(watch: LogWatch) -> dict[Code, int]:
    while await watch.step():
        pass
    return dict(watch.found)


async def test_a_sound_log_is_followed_in_silence(database: str, watch: LogWatch):
    assert await caught_up(watch) == {}
    append(database, "orders", told((placed, confirmed), uuid4()))
    assert await caught_up(watch) == {}
    assert execute(database, "SELECT max(notification_id) FROM orders.stored_events") == [(watch.checked,)]


@pytest.mark.parametrize(
    "spoil,code",
    [
        ("DELETE FROM orders.stored_events WHERE notification_id = 9 AND originator_version > 0", Code.POSITION_GAP),
        ("UPDATE orders.stored_events SET originator_version = 50 WHERE notification_id = 9", Code.VERSION_GAP),
        ("UPDATE orders.stored_events SET notification_id = 5000 WHERE notification_id = 1", Code.POSITION_GAP),
        ("UPDATE orders.relay SET position = 9, lasts = array_fill(3::bigint, ARRAY[64])", Code.CHAIN_BROKEN),
    ],
)
async def test_what_is_wrong_is_counted(database: str, watch: LogWatch, spoil: str, code: Code):
    execute(database, spoil)
    assert (await caught_up(watch))[code] > 0


async def test_a_version_that_comes_before_the_one_below_it_is_counted(database: str, watch: LogWatch):
    """Positions of the first two versions of a stream exchanged."""
    [(one, other)] = execute(
        database,
        "SELECT a.notification_id, b.notification_id FROM orders.stored_events a JOIN orders.stored_events b"
        " USING (originator_id) WHERE a.originator_version = 1 AND b.originator_version = 2 LIMIT 1",
    )
    for before, after in ((one, -1), (other, one), (-1, other)):
        execute(
            database, "UPDATE orders.stored_events SET notification_id = %s WHERE notification_id = %s", after, before
        )
    assert (await caught_up(watch))[Code.OUT_OF_ORDER] == 1


async def test_a_log_that_is_cut_back_is_counted(database: str, watch: LogWatch):
    await caught_up(watch)
    execute(database, "DELETE FROM orders.stored_events WHERE notification_id > 10")
    assert await caught_up(watch) == {Code.CUT: 1}


async def test_a_new_incarnation_is_looked_at_from_the_beginning(database: str, watch: LogWatch):
    execute(database, "UPDATE orders.stored_events SET originator_version = 50 WHERE notification_id = 9")
    assert await caught_up(watch)
    execute(database, "DELETE FROM orders.stored_events WHERE notification_id > 8")
    execute(database, "INSERT INTO orders.incarnation (head, reason) VALUES (8, 'restored')")
    assert await caught_up(watch) == {}
    assert watch.checked == 8


async def test_what_was_mended_is_forgotten(database: str, watch: LogWatch, monkeypatch: pytest.MonkeyPatch):
    execute(database, "UPDATE orders.relay SET position = 9, lasts = array_fill(3::bigint, ARRAY[64])")
    assert await caught_up(watch) == {Code.CHAIN_BROKEN: 1}
    execute(database, "UPDATE orders.relay SET position = 0, lasts = DEFAULT")
    assert await caught_up(watch) == {Code.CHAIN_BROKEN: 1}
    monkeypatch.setattr(watching, "AGAIN", 0.0)
    assert await caught_up(watch) == {}
