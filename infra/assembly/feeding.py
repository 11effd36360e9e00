"""Which feed a consumer reads, as the settings say, and what is to be told of how far it has come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from infra.assembly.ground import Ground
from infra.settings import FeedKind
from infra.telemetry.spans import TracedFeed
from projections.checkpoint import Checkpoint
from projections.feed import Feed


class Feeds:
    """One for a process: opens the feed of each consumer, and hears how far it has come."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._tracing = ground.telemetry.tracing
        self._traced: dict[tuple[str, str], TracedFeed] = {}

    @asynccontextmanager
    async def of(self, consumer: str, context: str) -> AsyncIterator[Feed]:
        """`consumer` as it is called in the books: orders@1."""
        async with self._chosen(consumer, context) as feed:
            if self._tracing is None:
                yield feed
                return
            traced = self._traced[consumer, context] = TracedFeed(consumer, feed, self._tracing)
            try:
                yield traced
            finally:
                del self._traced[consumer, context]

    def _chosen(self, consumer: str, context: str) -> AbstractAsyncContextManager[Feed]:
        if self._ground.settings.feed is FeedKind.STORE:
            return nullcontext(self._ground.feeds[context])
        from infra.assembly.publishing import feed_of

        return feed_of(self._ground, consumer, context)

    def moved(self, consumer: str, context: str, checkpoint: Checkpoint) -> None:
        self._ground.watch.moved(consumer, context, checkpoint)
        self._ground.changed.ring()
        self._ground.bell.ring()
        if traced := self._traced.get((consumer, context)):
            traced.moved(checkpoint)
