"""`chobo verify log` names whatever is wrong with a log, and nothing else."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from bench.callers import count_up
from bench.counter import COUNTERS
from bench.server import NoKeys, counter_loop
from infra.keys import KeyNotLoaded
from infra.verify import log as verify_log
from infra.verify.finding import Code, Finding
from infra.verify.log import LogCheck
from tests.domain.orders.samples import CUSTOMER
from tests.full import size
from tests.infra.stored import SameKey, a_log, execute


async def found(database: str, keys: SameKey | None = None) -> list[Finding]:
    return [finding async for finding in LogCheck(database, "orders", keys or SameKey()).findings()]


async def spoiled(database: str, *statements: str) -> list[Finding]:
    await a_log(database)
    for statement in statements:
        execute(database, statement)
    return await found(database)


async def test_a_sound_log_has_no_findings(database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verify_log, "AT_ONCE", 7)
    events = await a_log(database)
    check = LogCheck(database, "orders", SameKey())
    assert [finding async for finding in check.findings()] == []
    assert check.tally.told() == {"place": "orders", "checked": len(events), "wrong": 0, "repaired": 0, "found": {}}


async def test_an_empty_log_has_no_findings(database: str):
    await a_log(database, events=[])
    assert await found(database) == []


async def test_missing_positions_are_named(database: str):
    findings = await spoiled(
        database, "DELETE FROM orders.stored_events WHERE notification_id IN (3, 4, 9) AND originator_version > 0"
    )
    gaps = [f for f in findings if f.code is Code.POSITION_GAP]
    assert [f.detail for f in gaps] == ["no event has position 3 to 4", "no event has position 9"]


async def test_a_missing_version_is_named_with_its_stream(database: str):
    [(stream, position)] = await lost_version(database)
    gaps = [f for f in await found(database) if f.code is Code.VERSION_GAP]
    assert [(f.stream, f.position, f.detail) for f in gaps] == [(stream, position, "version 3 comes after version 1")]


async def lost_version(database: str) -> list[tuple[UUID, int]]:
    await a_log(database)
    return execute(
        database,
        "WITH third AS (SELECT originator_id, notification_id FROM orders.stored_events WHERE originator_version = 3"
        " LIMIT 1), gone AS (DELETE FROM orders.stored_events e USING third t"
        " WHERE e.originator_id = t.originator_id AND originator_version = 2) SELECT * FROM third",
    )


async def test_events_of_a_stream_in_the_wrong_order_are_named(database: str):
    findings = await spoiled(
        database,
        "UPDATE orders.stored_events SET originator_version = CASE originator_version WHEN 1 THEN 100 ELSE 1 END"
        " WHERE originator_id = (SELECT originator_id FROM orders.stored_events WHERE originator_version = 2 LIMIT 1)"
        " AND originator_version = 1",
        "UPDATE orders.stored_events SET originator_version = 1 WHERE originator_version = 2"
        " AND originator_id = (SELECT originator_id FROM orders.stored_events WHERE originator_version = 100)",
        "UPDATE orders.stored_events SET originator_version = 2 WHERE originator_version = 100",
    )
    assert Code.OUT_OF_ORDER in {f.code for f in findings}


async def test_an_event_id_that_occurs_twice_is_named(database: str):
    id = uuid4()
    findings = await spoiled(
        database, f"UPDATE orders.stored_events SET event_id = '{id}' WHERE notification_id IN (2, 5)"
    )
    assert [(f.code, f.position) for f in findings] == [(Code.EVENT_ID_TWICE, 2)]
    assert str(id) in findings[0].detail


@pytest.mark.parametrize(
    "change,reason",
    [
        ("topic = 'orders.order-lost'", "unknown event type 'orders.order-lost'"),
        ("state = '{\"class_version\": 99}'", "was stored at schema version 99; this release knows up to"),
        ("state = 'no json'", "the state cannot be read (ValueError)"),
        ("state = 'null'", "the state cannot be read (AttributeError)"),
        ("state = convert_to(replace(convert_from(state, 'utf8'), 'EUR', 'Ada'), 'utf8')", "currency: "),
    ],
)
async def test_an_event_that_cannot_be_read_is_named_but_not_shown(database: str, change: str, reason: str):
    findings = await spoiled(
        database,
        f"UPDATE orders.stored_events SET {change} WHERE notification_id ="
        " (SELECT min(notification_id) FROM orders.stored_events WHERE topic = 'orders.order-placed')",
    )
    assert [f.code for f in findings] == [Code.UNREADABLE]
    assert reason in findings[0].detail
    assert "Ada" not in findings[0].detail


async def test_a_sealed_box_moved_to_another_place_is_named(database: str):
    findings = await spoiled(
        database,
        "UPDATE orders.stored_events e SET state = o.state FROM orders.stored_events o"
        " WHERE e.topic = 'orders.order-placed' AND o.topic = e.topic"
        " AND e.notification_id = (SELECT min(notification_id) FROM orders.stored_events WHERE topic = e.topic)"
        " AND o.notification_id = (SELECT max(notification_id) FROM orders.stored_events WHERE topic = e.topic)",
    )
    assert [f.code for f in findings] == [Code.UNREADABLE]
    assert "the sealed fields were altered" in findings[0].detail


async def test_events_of_somebody_without_a_key_are_named(database: str):
    events = await a_log(database)
    findings = await found(database, SameKey(CUSTOMER))
    assert {f.code for f in findings} == {Code.KEY_UNKNOWN}
    assert 0 < len(findings) < len(events)


async def test_what_an_older_copy_left_behind_is_named(database: str):
    await a_log(database)
    stream = uuid4()
    execute(database, "INSERT INTO orders.snapshots VALUES (%s, 7, 'x', '')", stream)
    execute(database, "INSERT INTO orders.replies VALUES (%s, '', '', 5000, NULL)", uuid4())
    execute(database, "INSERT INTO orders.incarnation (head, reason) VALUES (5000, 'test')")
    findings = await found(database)
    assert [f.code for f in findings] == [Code.CUT, Code.REPLY_WITHOUT_EVENT, Code.SNAPSHOT_AHEAD]
    assert findings[-1].stream == stream


async def test_a_clock_that_went_back_is_told_but_nothing_is_wrong(database: str):
    await a_log(database)
    execute(database, "UPDATE orders.stored_events SET recorded_at = now() - interval '1 h' WHERE notification_id = 5")
    check = LogCheck(database, "orders", SameKey())
    assert [(f.code, f.position, f.wrong) async for f in check.findings()] == [(Code.CLOCK_WENT_BACK, 5, False)]
    assert check.tally.wrong == 0


@pytest.mark.full("verify")
async def test_a_writer_at_work_is_not_disturbed_and_disturbs_nothing(database: str):
    """What is found belongs to one moment: a growing log is as sound as a resting one."""
    async with counter_loop(database) as loop:
        writing = asyncio.create_task(count(loop.submit, size(400, 40_000)))
        checked = [0]
        while not writing.done() or checked[-1] == 0:
            check = LogCheck(database, COUNTERS.name, NoKeys())
            assert [finding async for finding in check.findings()] == []
            checked.append(check.tally.checked)
        await writing
    assert checked == sorted(checked)


async def count(submit, times: int) -> None:
    ids = [uuid4() for _ in range(8)]
    for n in range(times // 8):
        await asyncio.gather(*(submit(count_up(id, keyed=n % 2 == 0)) for id in ids))


async def test_keys_that_expire_between_two_reads_do_not_pass_for_damage(database: str):
    """A programming error, not a finding."""

    class Forgetful(SameKey):
        def get(self, owner: UUID) -> bytes | None:
            raise KeyNotLoaded(owner)

    await a_log(database)
    with pytest.raises(KeyNotLoaded):
        await found(database, Forgetful())
