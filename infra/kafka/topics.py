"""One topic for each context: made, checked and brought to what the settings say."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

log = logging.getLogger(__name__)

MESSAGE_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of the largest batch, hence of the largest event, that a topic takes."""
LIMIT: Final = "max.message.bytes"
HOUR: Final = 3_600_000  # ms
SETTLES_WITHIN: Final = 5.0  # seconds
SET_ON_TOPIC: Final = 1  # config_source of what was set on the topic itself, not inherited


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is. `limit`: the most bytes of a batch."""

    name: str
    partitions: int
    limit: int


class Topics:
    """Use `ensure` before anything is published. More partitions than set are accepted: they cannot be taken away."""

    def __init__(
        self, bootstrap: str, *, prefix: str = "chobo", partitions: int = 8, retention_hours: int = 168
    ) -> None:
        self.bootstrap = bootstrap
        self._prefix = prefix
        self._partitions = partitions
        self._configs = {"retention.ms": str(retention_hours * HOUR), LIMIT: str(MESSAGE_LIMIT)}

    def name(self, context: str) -> str:
        return f"{self._prefix}.{context}"

    async def ensure(self, context: str) -> Topic:
        """The context's topic, made or changed where it must be. Raises KafkaError, OSError."""
        name, ends = self.name(context), time.monotonic() + SETTLES_WITHIN
        while True:
            try:
                async with admin(self.bootstrap) as client:
                    return await self._ensured(client, name)
            except KafkaError as error:  # what was just made is not known everywhere at once
                passes = error.retriable and not isinstance(error, KafkaConnectionError)
                if not passes or time.monotonic() > ends:
                    raise
            await asyncio.sleep(0.1)

    async def _ensured(self, client: AIOKafkaAdminClient, name: str) -> Topic:
        await self._create(client, name)
        partitions = await self._partitioned(client, name)
        configs = await self._configured(client, name)
        return Topic(name, partitions, int(configs[LIMIT]))

    async def exists(self, context: str) -> bool:
        """Whether there is something to read from yet. Raises KafkaError, OSError."""
        async with admin(self.bootstrap) as client:
            return self.name(context) in await client.list_topics()

    async def _create(self, client: AIOKafkaAdminClient, name: str) -> None:
        if name in await client.list_topics():
            return
        # -1 and no assignment: as many replicas as the brokers say by themselves.
        wanted = NewTopic(name, self._partitions, -1, replica_assignments={}, topic_configs=self._configs)
        for _, code, message in (await client.create_topics([wanted])).topic_errors:
            if code == TopicAlreadyExistsError.errno:
                continue
            if code:
                raise for_code(code)(f"topic {name} could not be made: {message}")
            log.info("topic %s made with %d partitions", name, self._partitions)

    async def _partitioned(self, client: AIOKafkaAdminClient, name: str) -> int:
        """The number of partitions, raised to what is set."""
        (described,) = await client.describe_topics([name])
        if described["error_code"]:
            raise for_code(described["error_code"])(f"topic {name} cannot be looked at")
        found = len(described["partitions"])
        if found >= self._partitions:
            return found
        await client.create_partitions({name: NewPartitions(self._partitions)})
        log.info("topic %s has %d partitions now, it had %d", name, self._partitions, found)
        return self._partitions

    async def _configured(self, client: AIOKafkaAdminClient, name: str) -> Mapping[str, str]:
        """The topic's settings, with ours set and all others that somebody set left as they are."""
        (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        found = {entry[0]: (entry[1], entry[3]) for entry in entries(answer)}
        differing = {key: value for key, value in self._configs.items() if found[key][0] != value}
        values = {key: value for key, (value, _) in found.items()} | differing
        if differing:
            kept = {key: value for key, (value, source) in found.items() if source == SET_ON_TOPIC}
            resource = ConfigResource(ConfigResourceType.TOPIC, name, kept | differing)
            for answer in await client.alter_configs([resource]):
                for code, message, *_ in answer.resources:
                    if code:
                        raise for_code(code)(f"topic {name} could not be changed to {differing}: {message}")
            log.info("topic %s has now %s", name, differing)
        return values


def entries(answer: Any) -> list[tuple[Any, ...]]:
    """(name, value, read-only, source, ...) of the one resource that was asked for."""
    ((code, message, _, name, found),) = answer.resources
    if code:
        raise for_code(code)(f"topic {name} cannot be looked at: {message}")
    return list(found)


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await client.start()
        yield client
    finally:
        await client.close()
