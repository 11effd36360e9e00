"""A consumer's part of a topic, by FastStream: its partitions come and go with the workers of the group."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from infra.kafka.message import Message
from infra.kafka.topics import Topics

MOST: Final = 1_000  # messages handed over at once
ANSWERS_WITHIN: Final = 3.0  # seconds a broker may take before it counts as away
RETRY: Final = 0.3  # seconds
GRACE: Final = 5.0  # seconds that a relay which starts with us gets to make the topic
SESSION: Final = 6_000  # ms after which a worker that died is taken to be dead; brokers allow no less by default
METADATA: Final = 10_000  # ms after which new partitions are noticed

log = logging.getLogger(__name__)

OnMessages = Callable[[Sequence[Message]], Awaitable[None]]


class BrokerAway(ConnectionError):
    """The broker does not answer, or has no such topic yet. It is tried again all the time."""


class Place(NamedTuple):
    """Offsets of a partition: the next to be handed over, and of what will be published next."""

    next: int
    end: int


class Patient(AIOKafkaConsumer):  # type: ignore[misc]  # the client has no types
    """FastStream sleeps as long again as it has waited in vain: so it never waits in vain."""

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        while not (found := await super().getmany(*partitions, timeout_ms=60_000, max_records=max_records)):
            pass
        return found


class Subscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """Joins the group as soon as there are broker and topic; use as an async context manager.

    `on_messages` holds the next messages back as long as it does not return; `on_revoked` is told of partitions that
    other workers have now, before they begin.
    """

    def __init__(
        self,
        topics: Topics,
        context: str,
        group: str,
        on_messages: OnMessages,
        on_revoked: Callable[[Collection[int]], Awaitable[None]],
    ) -> None:
        self.problem: str | None = None
        self._topics = topics
        self._context = context
        self._topic = topics.name(context)
        self._group = group
        self._on_messages = on_messages
        self._on_revoked = on_revoked
        self._broker: KafkaBroker | None = None
        self._subscriber: BatchSubscriber | None = None
        self._joining: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._joining = asyncio.create_task(self._join())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leaves the group at once, so that the others take over."""
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.wait({self._joining})
        await self._leave()

    async def assigned(self) -> dict[int, Place]:
        """The partitions of this worker, and how far they have been handed over. Raises BrokerAway."""
        if self.problem is not None:
            raise BrokerAway(self.problem)
        if (consumer := self._consumer()) is None:
            return {}
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                if not (partitions := consumer.assignment()):
                    await consumer.topics()  # only to hear whether anybody is there
                    return {}
                ends = await consumer.end_offsets(partitions)
                return {tp.partition: Place(await consumer.position(tp), end) for tp, end in ends.items()}
        except (KafkaError, TimeoutError) as error:
            raise BrokerAway(f"{self._topics.bootstrap} does not answer: {type(error).__name__} {error}") from None

    def mine(self) -> frozenset[int]:
        consumer = self._consumer()
        return frozenset(tp.partition for tp in consumer.assignment()) if consumer is not None else frozenset()

    def partitions(self) -> int:
        """How many the topic has; 0 as long as nobody knows."""
        consumer = self._consumer()
        return len((consumer and consumer.partitions_for_topic(self._topic)) or ())

    async def commit(self, offsets: dict[int, int]) -> None:
        """It only spares others work; when it fails, they look at the same messages once more."""
        consumer = self._consumer()
        if consumer is None:
            return
        mine = {tp: offsets[tp.partition] for tp in consumer.assignment() if tp.partition in offsets}
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(ANSWERS_WITHIN):
                await consumer.commit(mine)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if revoked:
            await self._on_revoked({tp.partition for tp in revoked})

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        log.info("%s: partitions %s of %s", self._group, sorted(tp.partition for tp in assigned), self._topic)

    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer if self._subscriber is not None else None

    async def _join(self) -> None:
        began = time.monotonic()
        while True:
            try:
                if await self._topics.exists(self._context):
                    await self._start()
                    self.problem = None
                    return
                if time.monotonic() > began + GRACE:
                    self.problem = f"there is no topic {self._topic}: `chobo work relay` makes it"
            except Exception as error:  # noqa: BLE001  # told by `problem` to whoever reads
                self.problem = f"{self._topics.bootstrap} cannot be reached: {type(error).__name__} {error}"
                await self._leave()
            await asyncio.sleep(RETRY)

    async def _start(self) -> None:
        self._broker = broker = KafkaBroker(
            self._topics.bootstrap,
            consumer_only=True,
            apply_types=False,
            logger=None,
            metadata_max_age_ms=METADATA,
            allow_auto_create_topics=False,
        )
        self._subscriber = subscriber = broker.subscriber(
            self._topic,
            group_id=self._group,
            batch=True,
            max_records=MOST,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            listener=self,
            session_timeout_ms=SESSION,
            heartbeat_interval_ms=SESSION // 4,
            max_poll_interval_ms=24 * 3_600_000,  # a database that is away for hours is no reason to leave
            parser=as_it_is,
            decoder=records,
        )
        subscriber(self._handle)
        config = broker.config.broker_config
        builder: Any = await broker.connect()
        config.builder = partial(Patient, **builder.keywords)
        await broker.start()

    async def _handle(self, messages: Any) -> None:
        """Any: FastStream looks at the annotation."""
        await self._on_messages(messages)

    async def _leave(self) -> None:
        broker, self._broker, self._subscriber = self._broker, None, None
        if broker is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await broker.stop()


async def as_it_is(message: Any) -> KafkaMessage:
    """Nothing is decoded that will be decoded later or not at all."""
    return KafkaMessage(raw_message=message, body=b"", consumer=FAKE_CONSUMER)


async def records(message: Any) -> Any:
    """What the handler gets: the client's records."""
    return message.raw_message
