"""Puts messages on a topic, each in the partition of its slice, whole batches at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from infra.kafka.message import Header
from infra.kafka.topics import Topic
from infra.kafka.unpublished import Unpublished

BATCH_BYTES: Final = 512 * 1024
"""A batch that has grown to this is closed and the next one begun."""
OVERHEAD: Final = 16 * 1024
"""Bytes left for key and headers."""
LEFT_IN_LOG: Final[Header] = ("state", b"log")
"""On a message whose state is larger than the topic takes: it has no value, and who wants it reads the log."""

Acks = list["asyncio.Future[object]"]


class Publisher:
    """Idempotent and acknowledged by all replicas; in order within a partition. Use as an async context manager.

    After an error nothing more may be sent with it: what it had sent before may or may not have arrived.
    """

    def __init__(self, bootstrap: str, topic: Topic) -> None:
        self._topic = topic
        self._largest = topic.limit - OVERHEAD
        self._batch = min(BATCH_BYTES, self._largest)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=topic.limit,
            request_timeout_ms=10_000,
            metadata_max_age_ms=10_000,  # so soon it knows of more partitions
        )

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except BaseException:
            await self._abandon()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._abandon()

    async def send(self, messages: Iterable[Unpublished]) -> Acks:
        """On their way, in this order within each partition: one future for each batch. Raises KafkaError."""
        partitions = len(await self._producer.partitions_for(self._topic.name))
        now = int(time.time() * 1000)  # retention counts from here, however old the event is
        open_batches: dict[int, BatchBuilder] = {}
        acks: Acks = []
        for message in messages:
            partition = message.slice % partitions
            if (batch := open_batches.get(partition)) is None:
                batch = open_batches[partition] = self._producer.create_batch()
            if not self._append(batch, message, now):
                acks.append(await self._close(batch, partition))
                batch = open_batches[partition] = self._producer.create_batch()
                self._append(batch, message, now)
            if batch.size() > self._batch:
                acks.append(await self._close(open_batches.pop(partition), partition))
        return acks + [await self._close(batch, partition) for partition, batch in open_batches.items()]

    def _append(self, batch: BatchBuilder, message: Unpublished, now: int) -> bool:
        """False when the batch is full. An empty one takes anything."""
        _, _, key, state, headers = message
        if len(state) <= self._largest:
            return batch.append(timestamp=now, key=key, value=state, headers=headers) is not None
        return batch.append(timestamp=now, key=key, value=None, headers=[*headers, LEFT_IN_LOG]) is not None

    async def _close(self, batch: BatchBuilder, partition: int) -> asyncio.Future[object]:
        batch.close()
        acknowledged: asyncio.Future[object] = await self._producer.send_batch(
            batch, self._topic.name, partition=partition
        )
        acknowledged.add_done_callback(looked_at)
        return acknowledged

    async def _abandon(self) -> None:
        """Ends it without waiting for what a broker that is away has not acknowledged."""
        producer = self._producer
        with suppress(KafkaError, OSError):
            await producer.client.close()
        sender = producer._sender.sender_task
        while sender is not None and not sender.done():
            sender.cancel()  # again and again: it goes on to wait for each of its own tasks
            await asyncio.wait({sender}, timeout=0.05)
        producer._closed = True


def looked_at(acknowledged: asyncio.Future[object]) -> None:
    """Whoever gives up waiting for the others must not be reminded of the errors of these."""
    if not acknowledged.cancelled():
        acknowledged.exception()
