"""`chobo verify topic` names what is missing from a topic, what is wrong on it, and what is not the log's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition

from infra.kafka.message import Message
from infra.kafka.relay import Relay
from infra.kafka.topics import Topics, admin
from infra.verify.finding import Code, Finding
from infra.verify.topic import TopicCheck
from tests.full import size
from tests.infra.kafka.logs import Log, is_done, messages, opened, relay, relaying
from tests.projections.test_consumer import some_events, until


@pytest.fixture
async def log(database: str) -> AsyncIterator[Log]:
    async with opened(database) as log:
        yield log


@pytest.fixture
async def shop(log: Log, topics: Topics) -> Log:
    """Orders, all published."""
    await log.append(*some_events())
    await publish(log, topics)
    return log


async def publish(log: Log, topics: Topics) -> Relay:
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health), 30)
    return leader


async def found(log: Log, topics: Topics, *, repair: bool = False) -> list[Finding]:
    check = TopicCheck(log.database, "orders", topics.bootstrap, topics.name("orders"), repair=repair)
    return [finding async for finding in check.findings()]


async def expire(topics: Topics, partition: int, before: int) -> None:
    async with admin(topics.bootstrap) as client:
        one = TopicPartition(topics.name("orders"), partition)
        await client.delete_records({one: RecordsToDelete(before)})


async def test_a_whole_topic_has_no_findings(shop: Log, topics: Topics) -> None:
    check = TopicCheck(shop.database, "orders", topics.bootstrap, topics.name("orders"))
    assert [finding async for finding in check.findings()] == []
    assert check.tally.checked == len(some_events())


async def test_what_is_not_published_yet_is_not_missed(shop: Log, topics: Topics) -> None:
    await shop.append(*_more())
    assert await found(shop, topics) == []


def _more() -> list[Any]:
    return [e.model_copy(update={"originator_id": uuid4(), "originator_version": 1}) for e in some_events()[:5]]


async def test_what_came_twice_is_no_finding(shop: Log, topics: Topics) -> None:
    shop.execute("UPDATE orders.relay SET position = 0, lasts = DEFAULT")
    await publish(shop, topics)
    assert len(await messages(topics)) == 2 * len(some_events())
    assert await found(shop, topics) == []


async def test_a_stretch_that_never_arrived_is_named_and_sent_again(log: Log, topics: Topics) -> None:
    events = some_events()
    await log.append(*events)
    log.execute(
        "UPDATE orders.relay SET position = 20, lasts = (SELECT array_agg(coalesce((SELECT max(notification_id)"
        " FROM orders.stored_events WHERE notification_id <= 20 AND orders.chobo_slice(originator_id) = s), 0)"
        " ORDER BY s) FROM generate_series(0, 63) AS s)"
    )
    await publish(log, topics)
    findings = await found(log, topics)
    assert {f.code for f in findings} == {Code.NOT_IN_TOPIC}
    assert min(f.position or 0 for f in findings) == 1

    assert all(f.repaired for f in await found(log, topics, repair=True))
    await publish(log, topics)
    assert {(f.code, f.wrong) for f in await found(log, topics)} == {(Code.SENT_AGAIN, False)}


async def test_an_event_that_comes_after_later_ones_is_named(log: Log, topics: Topics) -> None:
    """Without the later ones behind it again: so no relay of ours sends."""
    await log.append(*some_events())
    await publish(log, topics)
    sent = await messages(topics)
    missing = next(m for m in sent if dict(m.headers)["previous"] == b"0")
    other = Topics(topics.bootstrap, prefix=f"late-{uuid4().hex[:8]}", partitions=4)
    await other.ensure("orders")
    for message in [*(m for m in sent if m is not missing), missing]:
        await resend(other, message, {})
    findings = await found(log, other)
    assert [f.code for f in findings if f.wrong] == [Code.CHAIN_BROKEN]
    assert "comes for the first time after" in findings[-1].detail


async def test_what_has_expired_is_not_missed(shop: Log, topics: Topics) -> None:
    await topics.ensure("orders")
    for partition in range(3):
        await expire(topics, partition, 4)
    assert await found(shop, topics) == []


async def test_what_has_expired_altogether_is_not_missed(shop: Log, topics: Topics) -> None:
    ends = {partition: sum(m.partition == partition for m in await messages(topics)) for partition in range(4)}
    for partition, end in ends.items():
        await expire(topics, partition, end)
    assert await found(shop, topics) == []


async def test_more_partitions_are_no_finding(shop: Log, topics: Topics) -> None:
    more = Topics(topics.bootstrap, prefix=topics.name("orders").partition(".")[0], partitions=7)
    await more.ensure("orders")
    await shop.append(*_more())
    await publish(shop, more)
    assert await found(shop, topics) == []


@pytest.mark.parametrize(
    "change,code",
    [
        ({"value": b"{}"}, Code.BYTES_DIFFER),
        ({"event_version": b"99"}, Code.BYTES_DIFFER),
        ({"ce_type": b"orders.other"}, Code.BYTES_DIFFER),
        ({"position": b"5000"}, Code.NOT_IN_LOG),
        ({"incarnation": b"0198f0e5-0000-7000-8000-000000000001"}, Code.NOT_IN_LOG),
        ({"slice": b"70"}, Code.WRONG_PARTITION),
    ],
    ids=str,
)
async def test_a_message_that_is_not_the_logs_is_named(
    shop: Log, topics: Topics, change: dict[str, Any], code: Code
) -> None:
    (first, *_) = await messages(topics)
    await resend(topics, first, dict(change))
    findings = await found(shop, topics)
    assert code in {f.code for f in findings}
    assert f"partition {first.partition} offset" in findings[0].detail


async def resend(topics: Topics, like: Message, change: dict[str, Any]) -> None:
    value = change.pop("value", None)
    headers = dict(like.headers)
    for name, text in change.items():
        headers[name if name.startswith("ce_") else name.replace("_", "-")] = text
    async with AIOKafkaProducer(bootstrap_servers=topics.bootstrap) as producer:
        await producer.send_and_wait(
            topics.name("orders"), value or like.value, key=like.key, partition=like.partition,
            headers=list(headers.items()),
        )  # fmt: skip


async def test_a_wrong_previous_is_named(log: Log, topics: Topics) -> None:
    await log.append(*some_events())
    log.execute("UPDATE orders.relay SET lasts = array_fill(3::bigint, ARRAY[64])")
    await publish(log, topics)
    findings = await found(log, topics)
    assert {f.code for f in findings} == {Code.CHAIN_BROKEN}
    assert "names 3 as the one before it, which is 0" in findings[0].detail or "relay holds 3" in findings[0].detail


async def test_what_the_relay_holds_of_the_chain_is_mended(shop: Log, topics: Topics) -> None:
    shop.execute("UPDATE orders.relay SET lasts = array_fill(3::bigint, ARRAY[64])")
    assert {(f.code, f.repaired) for f in await found(shop, topics, repair=True)} == {(Code.CHAIN_BROKEN, True)}
    await shop.append(*_more())
    await publish(shop, topics)
    assert await found(shop, topics) == []


async def test_a_topic_that_is_gone_is_missing_altogether(shop: Log, topics: Topics) -> None:
    other = Topics(topics.bootstrap, prefix=f"gone-{uuid4().hex[:8]}")
    [finding] = await found(shop, other)
    assert finding.code is Code.NOT_IN_TOPIC
    assert f"from 1 to {len(some_events())}" in finding.detail


async def test_another_incarnation_is_waited_for(shop: Log, topics: Topics) -> None:
    shop.new_incarnation()
    assert [f.code for f in await found(shop, topics)] == [Code.INCARNATION]
    await publish(shop, topics)  # the whole log again, under the new one
    assert await found(shop, topics) == []


async def test_a_log_that_was_cut_is_named(shop: Log, topics: Topics) -> None:
    shop.execute("DELETE FROM orders.stored_events WHERE notification_id > 10")
    assert [f.code for f in await found(shop, topics)] == [Code.CUT]


@pytest.mark.full("kafka")
async def test_beside_a_relay_at_work_nothing_is_found(log: Log, topics: Topics) -> None:
    leader = relay(log, topics)
    async with relaying(leader):
        for _ in range(size(6, 60)):
            await log.append(*[e for _ in range(10) for e in _more()])
            if leader.health.published:
                assert await found(log, topics) == []
        await until(lambda: is_done(leader.health), 30)
    assert await found(log, topics) == []
