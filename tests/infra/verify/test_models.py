"""`chobo verify models` names every row that is not what the log says, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from domain.event import Event
from domain.products.categories import TREE
from infra.verify import contents, log
from infra.verify.finding import Code
from projections.model import Model
from projections.orders.projector import ORDERS
from projections.products.projector import PRODUCTS
from projections.sales.projector import SALES
from tests.domain.orders.samples import confirmed, placed, tea_shipped
from tests.full import size
from tests.infra.stored import append, execute, some_orders
from tests.infra.verify.standing import CUPS, MODELS, Standing, standing
from tests.projections.stories import told
from tests.projections.test_consumer import a_bug, running, until


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Standing]:
    async with standing(database) as shop:
        yield shop


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
async def test_a_sound_model_has_no_findings(shop: Standing, model: Model, deep: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log, "AT_ONCE", 5)
    monkeypatch.setattr(contents, "STREAMS", 3)
    check = await shop.check(model, deep=deep)
    assert [finding async for finding in check.findings()] == []
    assert check.tally.checked > 0


async def test_a_missing_row_is_named(shop: Standing):
    [(id, version)] = execute(
        shop.database,
        "DELETE FROM orders_1.orders WHERE id = (SELECT id FROM orders_1.orders LIMIT 1) RETURNING id, version",
    )
    [finding] = await shop.found(ORDERS)
    assert (finding.code, finding.place, finding.stream) == (Code.ROW_MISSING, "orders@1/orders", id)
    assert finding.detail == f"row {id} is not there, its stream is at version {version}"


async def test_a_row_of_no_stream_is_named(shop: Standing):
    id = uuid4()
    execute(
        shop.database,
        "INSERT INTO orders_1.orders SELECT (json_populate_record(o, json_build_object('id', %s::text))).*"
        " FROM orders_1.orders o LIMIT 1", id,
    )  # fmt: skip
    [finding] = await shop.found(ORDERS)
    assert (finding.code, finding.stream) == (Code.ROW_SURPLUS, id)


@pytest.mark.parametrize("change,code", [("version - 1", Code.ROW_BEHIND), ("version + 1", Code.ROW_AHEAD)])
async def test_a_row_at_another_version_is_named(shop: Standing, change: str, code: Code):
    execute(
        shop.database,
        f"UPDATE orders_1.orders SET version = {change} WHERE id = (SELECT id FROM orders_1.orders LIMIT 1)",
    )
    assert [f.code for f in await shop.found(ORDERS)] == [code]


async def test_a_row_of_a_part_of_a_stream_is_held_against_the_events_that_touch_it(shop: Standing):
    execute(shop.database, "UPDATE products_1.categories SET version = 2 WHERE id = %s", CUPS)
    [finding] = await shop.found(PRODUCTS)
    assert (finding.code, finding.stream, finding.position) == (Code.ROW_BEHIND, TREE, 3)
    assert finding.detail == f"row {CUPS} is at version 2, its stream at 3"


async def test_what_is_in_a_row_is_only_looked_at_when_asked_for(shop: Standing):
    execute(shop.database, "UPDATE orders_1.orders SET total = total + 1 WHERE status = 'PLACED'")
    assert await shop.found(ORDERS) == []
    findings = await shop.found(ORDERS, deep=True)
    assert {f.code for f in findings} == {Code.ROW_DIFFERS}
    assert all(f.detail.endswith("differs from its stream in total") for f in findings)


async def test_what_the_consumer_has_not_seen_yet_is_not_missed(shop: Standing):
    append(shop.database, "orders", told((placed, confirmed), uuid4()))
    assert await shop.found(ORDERS, deep=True) == []


async def test_parked_sequences_are_named_and_their_rows_excepted(shop: Standing):
    id = uuid4()
    append(shop.database, "orders", told((placed, confirmed, tea_shipped), id))
    with a_bug(type(told((placed, confirmed), id)[1])):
        await shop.follow([ORDERS])
    [finding] = await shop.found(ORDERS, deep=True)
    assert (finding.code, finding.stream, finding.wrong) == (Code.PARKED, id, False)
    assert finding.detail == "1 more wait behind it: ZeroDivisionError: a bug"


async def test_a_lost_row_whose_next_event_was_parked_for_it_is_mended_and_then_caught_up(shop: Standing):
    id = uuid4()
    append(shop.database, "orders", told((placed, confirmed), id))
    await shop.follow([ORDERS])
    execute(shop.database, "DELETE FROM orders_1.orders WHERE id = %s", id)
    append(shop.database, "orders", told((placed, confirmed, tea_shipped), id)[2:])
    await shop.follow([ORDERS])  # there is no row for it
    assert {(f.code, f.repaired) for f in await shop.mended(ORDERS)} == {(Code.PARKED, False), (Code.ROW_MISSING, True)}
    await shop.retry(ORDERS, id)
    assert await shop.found(ORDERS, deep=True) == []


async def test_a_stream_that_this_release_cannot_fold_is_named_and_left(shop: Standing):
    event_type = type(told((placed, confirmed), uuid4())[1])
    with a_bug(event_type):
        findings = await shop.mended(ORDERS)
    assert {(f.code, f.repaired) for f in findings} == {(Code.CANNOT_FOLD, False)}
    assert await shop.found(ORDERS, deep=True) == []


async def test_an_event_that_was_passed_over_excuses_its_row(shop: Standing):
    id = uuid4()
    append(shop.database, "orders", told((placed, confirmed), id))
    with a_bug(type(told((placed, confirmed), id)[1])):
        await shop.follow([ORDERS])
    await shop.discard(ORDERS, id)
    findings = await shop.found(ORDERS, deep=True)
    assert [(f.code, f.stream, f.wrong) for f in findings] == [(Code.DISCARDED, id, False)]


async def test_sums_are_held_against_the_rows(shop: Standing):
    execute(shop.database, "UPDATE sales_1.sales_by_day SET placed = placed + 2 WHERE day = '2026-01-02'")
    [finding] = await shop.found(SALES)
    assert (finding.code, finding.place) == (Code.SUM_DIFFERS, "sales@1/sales_by_day")
    assert finding.detail.startswith("2026-01-02/EUR: placed is ")


async def test_a_sum_of_no_row_is_named(shop: Standing):
    execute(shop.database, "INSERT INTO sales_1.sales_by_day (day, currency, placed) VALUES ('2020-01-01', 'JPY', 3)")
    [finding] = await shop.found(SALES)
    assert finding.detail == "2020-01-01/JPY: placed is 3, the rows add up to 0"


async def test_another_incarnation_of_the_log_is_all_there_is_to_say(shop: Standing):
    """A restored older log: rows and log have nothing to do with each other."""
    execute(shop.database, "INSERT INTO orders.incarnation (head, reason) VALUES (0, 'restored')")
    execute(shop.database, "DELETE FROM orders_1.orders")
    [finding] = await shop.found(ORDERS)
    assert finding.code is Code.INCARNATION
    assert "build it anew" in finding.detail


async def test_a_log_that_was_cut_is_named(shop: Standing):
    execute(shop.database, "DELETE FROM orders.stored_events WHERE notification_id > 10")
    [finding] = await shop.found(ORDERS)
    assert finding.code is Code.CUT
    assert "ends at 10" in finding.detail


async def test_a_generation_that_nobody_feeds_is_told(shop: Standing):
    execute(shop.database, "DELETE FROM projections.checkpoints WHERE consumer = 'orders@1'")
    [finding] = await shop.found(ORDERS)
    assert (finding.code, finding.wrong) == (Code.NOT_FED, False)


@pytest.mark.full("verify")
async def test_beside_a_consumer_at_work_nothing_is_found(shop: Standing):
    """Whatever moment is looked at, rows and checkpoint belong together."""
    consumer = shop.consumer(ORDERS, "orders")
    events = renamed(some_orders(size(150, 4_000), seed=2))
    async with running(consumer):
        for n in range(0, len(events), 40):
            append(shop.database, "orders", events[n : n + 40])
            if n % size(400, 2_000) == 0:
                assert await shop.found(ORDERS, deep=n % size(800, 4_000) == 0) == []
            await asyncio.sleep(0)
        await until(lambda: consumer.health.floor > len(events), timeout=100)
    assert await shop.found(ORDERS, deep=True) == []


def renamed(events: list[Event]) -> list[Event]:
    """The same stories of other orders."""
    return [e.model_copy(update={"originator_id": UUID(int=e.originator_id.int ^ 1)}) for e in events]


SPOIL = {
    "missing": "DELETE FROM orders_1.orders WHERE id = (SELECT id FROM orders_1.orders LIMIT 1)",
    "surplus": "INSERT INTO orders_1.orders SELECT (json_populate_record(o, json_build_object('id',"
    " '0b0c0bb0-0000-0000-0000-000000000001'::text))).* FROM orders_1.orders o LIMIT 1",
    "behind": "UPDATE orders_1.orders SET version = version - 1",
    "ahead": "UPDATE orders_1.orders SET version = version + 3 WHERE status = 'PLACED'",
    "different": "UPDATE orders_1.orders SET total = total + 1",
    "part of a stream": "UPDATE products_1.categories SET version = 1, name = 'Nothing'",
    "sums": "UPDATE sales_1.sales_by_day SET placed = placed + 2",
    "rows of sums": "UPDATE sales_1.order_sales SET placed_on = NULL, version = version - 1",
    "payments": "DELETE FROM sales_1.payment_sales",
}
EVERYTHING = (
    "SELECT to_jsonb(t) FROM orders_1.orders t ORDER BY id",
    "SELECT to_jsonb(t) FROM products_1.categories t ORDER BY id",
    "SELECT to_jsonb(t) FROM sales_1.order_sales t ORDER BY id",
    "SELECT to_jsonb(t) FROM sales_1.payment_sales t ORDER BY id",
    "SELECT to_jsonb(t) FROM sales_1.sales_by_day t ORDER BY day, currency",
)


@pytest.mark.parametrize("spoil", SPOIL.values(), ids=SPOIL.keys())
async def test_what_is_wrong_is_repaired_from_the_log(shop: Standing, spoil: str):
    before = [execute(shop.database, query) for query in EVERYTHING]
    execute(shop.database, spoil)
    assert [execute(shop.database, query) for query in EVERYTHING] != before
    repaired = [finding for model in MODELS for finding in await shop.mended(model)]
    assert repaired
    assert not any(finding.wrong for finding in repaired)
    assert [execute(shop.database, query) for query in EVERYTHING] == before


async def test_of_a_part_of_no_stream_nobody_knows_whether_it_may_go(shop: Standing):
    execute(shop.database, "UPDATE products_1.categories SET id = gen_random_uuid() WHERE id = %s", CUPS)
    assert {(f.code, f.repaired) for f in await shop.mended(PRODUCTS)} == {
        (Code.ROW_MISSING, True),
        (Code.ROW_SURPLUS, False),
    }


async def test_rows_of_another_incarnation_are_not_repaired(shop: Standing):
    execute(shop.database, "INSERT INTO orders.incarnation (head, reason) VALUES (0, 'restored')")
    execute(shop.database, "DELETE FROM orders_1.orders")
    assert [f.wrong for f in await shop.mended(ORDERS)] == [True]
    assert execute(shop.database, "SELECT count(*) FROM orders_1.orders") == [(0,)]


@pytest.mark.full("verify")
async def test_repairing_beside_a_consumer_at_work_spoils_nothing(shop: Standing):
    consumer = shop.consumer(SALES, "orders")
    events = renamed(some_orders(size(60, 1_000), seed=3))
    async with running(consumer):
        for n in range(0, len(events), size(20, 100)):
            append(shop.database, "orders", events[n : n + size(20, 100)])
            execute(
                shop.database,
                "DELETE FROM sales_1.order_sales WHERE crc32(uuid_send(id)) %% 7 = %s",
                n // size(20, 100) % 7,
            )
            await shop.mended(SALES)
        await until(lambda: consumer.health.floor > len(events), timeout=100)
    await shop.mended(SALES)
    for finding in await shop.found(SALES):  # what came to a row that had just been deleted
        assert finding.code is Code.PARKED
        await shop.retry(SALES, finding.stream or UUID(int=0))
    assert await shop.found(SALES, deep=True) == []
