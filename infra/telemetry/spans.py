"""Spans of what consumers apply: a feed that remembers what it has handed out, until the checkpoint covers it."""

from __future__ import annotations

import time
from uuid import UUID

from opentelemetry.trace import SpanKind

from infra.telemetry.tracing import Tracing, sampled
from projections.checkpoint import Checkpoint
from projections.feed import Batch, Feed


class TracedFeed:
    """The same feed. What is told by `moved` ends the spans of the batch before it."""

    def __init__(self, consumer: str, feed: Feed, tracing: Tracing) -> None:
        self._consumer = consumer
        self._feed = feed
        self._tracing = tracing
        self._batch: Batch | None = None
        self._began = 0

    @property
    def context(self) -> str:
        return self._feed.context

    async def head(self) -> tuple[UUID, int]:
        return await self._feed.head()

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        batch = self._batch = await self._feed.read(checkpoint, limit)
        self._began = time.time_ns()
        return batch

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        await self._feed.wait(checkpoint, timeout)

    def moved(self, checkpoint: Checkpoint) -> None:
        """The checkpoint was committed together with what the last batch led to."""
        batch, self._batch = self._batch, None
        if batch is None:
            return
        applied = [one.traceparent for one in batch.recorded if one.position <= checkpoint.of(one.slice)]
        self._tracing.record(
            f"apply {self._consumer}",
            sampled(applied),
            self._began,
            time.time_ns(),
            SpanKind.CONSUMER,
            context=self._feed.context,
            events=len(batch.recorded),
        )
