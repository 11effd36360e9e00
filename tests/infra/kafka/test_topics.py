"""Topics are brought to what the settings say, and what somebody else has set on them stays."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError

from infra.kafka.topics import MESSAGE_LIMIT, Topic, Topics, admin, entries
from tests.projections.test_consumer import until


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


async def configs(topics: Topics) -> dict[str, str]:
    async with admin(topics.bootstrap) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, topics.name("orders"))
        (answer,) = await client.describe_configs([resource])
        return {entry[0]: entry[1] for entry in entries(answer)}


async def test_a_topic_is_made_as_the_settings_say(kafka: str, prefix: str) -> None:
    topics = Topics(kafka, prefix=prefix, partitions=3, retention_hours=5)
    assert not await topics.exists("orders")
    assert await topics.ensure("orders") == Topic(f"{prefix}.orders", 3, MESSAGE_LIMIT)
    assert await topics.exists("orders")
    found = await configs(topics)
    assert (found["retention.ms"], found["max.message.bytes"]) == (str(5 * 3_600_000), str(MESSAGE_LIMIT))


async def test_partitions_are_raised_and_never_taken_away(kafka: str, prefix: str) -> None:
    made = [await Topics(kafka, prefix=prefix, partitions=n).ensure("orders") for n in (2, 6, 3)]
    assert [topic.partitions for topic in made] == [2, 6, 6]


async def test_another_retention_is_set_and_other_settings_stay(kafka: str, prefix: str) -> None:
    topics = Topics(kafka, prefix=prefix, retention_hours=5)
    await topics.ensure("orders")
    async with admin(kafka) as client:
        given = {"segment.bytes": "1048576", "retention.ms": "1000"}
        resource = ConfigResource(ConfigResourceType.TOPIC, topics.name("orders"), given)
        await client.alter_configs([resource])

    async def shows(retention: int) -> bool:
        found = await configs(topics)
        return (found["retention.ms"], found["segment.bytes"]) == (str(retention), "1048576")

    await until(lambda: shows(1000))
    await topics.ensure("orders")
    await until(lambda: shows(5 * 3_600_000))


async def test_many_processes_may_see_to_it_at_once(kafka: str, prefix: str) -> None:
    made = await asyncio.gather(*(Topics(kafka, prefix=prefix, partitions=3).ensure("orders") for _ in range(4)))
    assert {topic.partitions for topic in made} == {3}


async def test_without_a_broker_it_says_so() -> None:
    with pytest.raises(KafkaConnectionError, match="Unable to bootstrap"):
        await Topics("127.0.0.1:1").ensure("orders")
