"""The relay publishes a log whole and in order, whatever happens to it, to the broker and to the database."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from domain.ids import slice_of
from infra.kafka.broker import EmbeddedKafka
from infra.kafka.message import Place, stored
from infra.kafka.published import published
from infra.kafka.publisher import Publisher
from infra.kafka.relay import Role
from infra.kafka.topics import Topics, admin
from infra.kafka.unpublished import read
from tests.infra.kafka.logs import Log, is_done, messages, opened, places, relay, relaying
from tests.projections.test_consumer import some_events, until


@pytest.fixture
async def log(database: str) -> AsyncIterator[Log]:
    async with opened(database) as log:
        yield log


def chains(found: Sequence[Place]) -> dict[int, list[Place]]:
    """What each slice sees, without what comes again."""
    seen: defaultdict[int, list[Place]] = defaultdict(list)
    for at in found:
        if not seen[at.slice] or at.position > seen[at.slice][-1].position:
            seen[at.slice].append(at)
    return seen


def assert_whole(found: Sequence[Place], head: int) -> None:
    """Every position is there, each slice's in order, each naming the one before it."""
    assert {at.position for at in found} == set(range(1, head + 1))
    for seen in chains(found).values():
        assert [at.previous for at in seen] == [0, *(at.position for at in seen[:-1])]


async def test_the_topic_holds_the_log_byte_for_byte(log: Log, topics: Topics) -> None:
    events = some_events()
    await log.append(*events)
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    found = await messages(topics)
    assert_whole(places(found), len(events))
    assert len(found) == len(events)
    async with log.pool.connection() as connection:
        rows = await (
            await connection.execute(
                "SELECT notification_id, originator_id, originator_version, topic, state, event_id, recorded_at,"
                " correlation_id, causation_id, actor, traceparent FROM orders.stored_events ORDER BY 1"
            )
        ).fetchall()
    assert sorted(tuple(stored(dict(message.headers), message.value or b"")) for message in found) == rows


async def test_messages_are_cloud_events_in_the_partition_of_their_slice(log: Log, topics: Topics) -> None:
    events = some_events()
    await log.append(*events)
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    for message in await messages(topics):
        headers = dict(message.headers)
        assert headers["ce_specversion"] == b"1.0"
        assert headers["ce_source"] == b"/chobo/orders"
        assert headers["ce_type"].startswith(b"orders.")
        id = UUID(headers["ce_subject"].decode())
        assert message.key == str(id).encode()
        assert int(headers["slice"]) == slice_of(id)
        assert message.partition == slice_of(id) % 4
        assert headers["ce_time"].endswith(b"Z")


async def test_what_is_published_says_how_far_each_slice_is(log: Log, topics: Topics) -> None:
    events = some_events()
    await log.append(*events)
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    said = await published(log.pool, "orders")
    assert (said.position, said.head, said.is_of_the_log) == (len(events), len(events), True)
    lasts = dict.fromkeys(range(64), 0) | {slice_of(e.originator_id): n for n, e in enumerate(events, 1)}
    assert said.lasts == lasts


async def test_what_is_appended_later_follows_within_moments(log: Log, topics: Topics) -> None:
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: leader.health.role is Role.LEADER, 30)
        for n, event in enumerate(some_events()[:10], 1):
            await log.append(event)
            await until(lambda n=n: leader.health.published == n)
    assert_whole(places(await messages(topics)), 10)


async def test_one_leads_and_another_takes_over(log: Log, topics: Topics) -> None:
    events = some_events()
    first, second = relay(log, topics), relay(log, topics)
    async with relaying(second):
        async with relaying(first):
            await until(lambda: {first.health.role, second.health.role} == {Role.LEADER, Role.STANDBY}, 30)
            await log.append(*events[:50])
            await until(lambda: max(first.health.published, second.health.published) == 50)
        await log.append(*events[50:])
        await until(lambda: is_done(second.health) and second.health.published == len(events), 30)
    assert_whole(places(await messages(topics)), len(events))


async def test_a_leader_that_was_deposed_and_still_sends_does_no_harm(log: Log, topics: Topics) -> None:
    """It sends what it has read once more, late, and cannot move the checkpoint."""
    events = some_events()
    await log.append(*events[:50])
    topic = await topics.ensure("orders")
    async with await psycopg.AsyncConnection.connect(log.database, autocommit=True) as connection:
        late = await read(connection, "orders", 0)
        leader = relay(log, topics)
        async with relaying(leader):
            await log.append(*events[50:])
            await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
        async with Publisher(topics.bootstrap, topic) as deposed:
            await asyncio.gather(*await deposed.send(late.messages(dict.fromkeys(range(64), 0))))
    found = places(await messages(topics))
    assert len(found) == len(events) + 50
    assert_whole(found, len(events))


async def test_a_checkpoint_that_somebody_moved_deposes_the_leader(log: Log, topics: Topics) -> None:
    """What it had sent is sent again from where the checkpoint is now."""
    events = some_events()
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: leader.health.role is Role.LEADER, 30)
        log.execute("UPDATE orders.relay SET position = 3")
        await log.append(*events)
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    found = [at.position for at in places(await messages(topics))]
    assert sorted(found) == sorted([*range(1, len(events) + 1), *range(4, len(events) + 1)])


async def test_a_new_incarnation_is_published_from_its_beginning(log: Log, topics: Topics) -> None:
    events = some_events()
    await log.append(*events)
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
        before = (await published(log.pool, "orders")).incarnation
        log.new_incarnation()
        async with asyncio.timeout(30):
            while (said := await published(log.pool, "orders")).incarnation == before or said.position < said.head:
                await asyncio.sleep(0.05)
    found = places(await messages(topics))
    assert_whole([at for at in found if at.incarnation == before], len(events))
    assert_whole([at for at in found if at.incarnation == said.log], len(events))


async def test_a_log_that_was_cut_is_told_of_and_not_published(log: Log, topics: Topics) -> None:
    await log.append(*some_events()[:10])
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: leader.health.published == 10, 30)
        log.execute("DELETE FROM orders.stored_events WHERE notification_id > 5")
        await until(lambda: "ends at 5, the relay has published 10" in (leader.health.reason or ""))
        assert leader.health.role is Role.WAITING


async def test_a_broker_that_is_away_at_the_start_is_waited_for(
    log: Log, topics: Topics, broker: EmbeddedKafka
) -> None:
    events = some_events()
    await log.append(*events)
    leader = relay(log, topics)
    broker.stop()
    try:
        async with relaying(leader):
            await until(lambda: "KafkaConnectionError" in (leader.health.reason or ""))
            assert leader.health.role is Role.WAITING
            assert leader.health.behind == len(events)
            await broker.restart()
            await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    finally:
        await running(broker)
    assert_whole(places(await messages(topics)), len(events))


async def test_a_broker_killed_under_load_loses_nothing(log: Log, topics: Topics, broker: EmbeddedKafka) -> None:
    events = some_events(orders=120)
    leader = relay(log, topics)
    try:
        async with relaying(leader):
            await until(lambda: leader.health.role is Role.LEADER, 30)
            for start in range(0, len(events), 20):
                if start == 100:
                    broker.kill()
                if start == 300:
                    await broker.restart()
                await log.append(*events[start : start + 20])
            await until(lambda: is_done(leader.health) and leader.health.published == len(events), 60)
    finally:
        await running(broker)
    assert_whole(places(await messages(topics)), len(events))


async def test_a_broker_that_acknowledges_nothing_is_told_of_and_waited_for(
    log: Log, topics: Topics, broker: EmbeddedKafka
) -> None:
    """As when its disk hangs."""
    events = some_events()
    leader = relay(log, topics, patience=1)
    async with relaying(leader):
        await log.append(*events[:9])
        await until(lambda: is_done(leader.health) and leader.health.published == 9, 30)
        broker.signal(signal.SIGSTOP)
        try:
            await log.append(*events[9:])
            await until(lambda: "did not acknowledge within 1 s" in (leader.health.reason or ""), 30)
            assert leader.health.published == 9
        finally:
            broker.signal(signal.SIGCONT)
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    assert_whole(places(await messages(topics)), len(events))


async def test_a_topic_that_takes_only_small_messages_is_told_of_and_mended(log: Log, topics: Topics) -> None:
    events = some_events()
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: leader.health.role is Role.LEADER, 30)
        await configure(topics, "max.message.bytes", "100")
        told = asyncio.create_task(until(lambda: "MessageSizeTooLarge" in (leader.health.reason or ""), 30))
        await log.append(*events)
        await told
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    assert_whole(places(await messages(topics)), len(events))


async def test_a_topic_that_was_deleted_is_made_again(log: Log, topics: Topics) -> None:
    events = some_events()
    leader = relay(log, topics, patience=1)
    async with relaying(leader):
        await log.append(*events[:50])
        await until(lambda: leader.health.published == 50, 30)
        async with admin(topics.bootstrap) as client:
            await client.delete_topics([topics.name("orders")])
        await log.append(*events[50:])
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 60)
    assert {at.position for at in places(await messages(topics))} >= set(range(51, len(events) + 1))


async def test_an_event_larger_than_the_topic_takes_leaves_its_place_marked(log: Log, topics: Topics) -> None:
    topic = await topics.ensure("orders")
    id = uuid4()
    states = [b"{}", b"x" * topic.limit, b"y" * (topic.limit // 2), b"z" * (topic.limit // 2), b"{}"]
    await log.append_raw([(id, n, "orders.order-placed", state) for n, state in enumerate(states, 1)])
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: is_done(leader.health) and leader.health.published == 5, 30)
    found = await messages(topics)
    assert_whole(places(found), 5)
    assert [message.value for message in found] == [states[0], None, *states[2:]]
    assert dict(found[1].headers)["state"] == b"log"


async def test_a_database_that_is_away_is_waited_for(log: Log, topics: Topics) -> None:
    events = some_events()
    leader = relay(log, topics)
    async with relaying(leader):
        await log.append(*events[:50])
        await until(lambda: leader.health.published == 50, 30)
        log.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await log.append(*events[50:])
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    assert_whole(places(await messages(topics)), len(events))


async def test_more_partitions_are_used_as_soon_as_they_are_there(log: Log, topics: Topics) -> None:
    events = some_events()
    await log.append(*events[:50])
    leader = relay(log, topics)
    async with relaying(leader):
        await until(lambda: leader.health.published == 50, 30)
    more = Topics(topics.bootstrap, prefix=topics.name("orders").removesuffix(".orders"), partitions=8)
    leader = relay(log, more)
    async with relaying(leader):
        await log.append(*events[50:])
        await until(lambda: is_done(leader.health) and leader.health.published == len(events), 30)
    found = await messages(topics)
    assert_whole(sorted(places(found), key=lambda at: at.position), len(events))
    assert {message.partition for message in found} > {4, 5, 6, 7}


async def configure(topics: Topics, key: str, value: str) -> None:
    resource = ConfigResource(ConfigResourceType.TOPIC, topics.name("orders"), {key: value})
    async with admin(topics.bootstrap) as client:
        await client.alter_configs([resource])


async def running(broker: EmbeddedKafka) -> None:
    if broker.pid is None:
        await broker.restart()
