"""A feed in memory, and events to put on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from domain.event import Event
from domain.ids import slice_of
from projections.checkpoint import Checkpoint
from projections.feed import Batch, Recorded
from projections.folding import Folding, Rows
from projections.model import Model

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def recorded(event: Event, position: int, actor: str = "anonymous") -> Recorded:
    return Recorded(
        event=event,
        position=position,
        slice=slice_of(event.originator_id),
        event_id=UUID(int=position),
        recorded_at=AT + timedelta(seconds=position),
        correlation_id="test",
        causation_id=None,
        actor=actor,
        traceparent=None,
    )


def folded(model: Model, log: Sequence[Recorded], stored: Rows | None = None) -> Rows:
    """The rows that change, one event after another."""
    folding = Folding(model, log)
    folding.stored |= stored or {}
    for each in log:
        folding.fold(each)
    return folding.changed


class FakeFeed:
    """A context's log as a list. `away` makes it raise."""

    def __init__(self, context: str, events: Iterable[Event] = ()) -> None:
        self.context = context
        self.incarnation = uuid4()
        self.log: list[Recorded] = []
        self.away: Exception | None = None
        self.reads = 0
        self._news = asyncio.Event()
        self.append(*events)

    def append(self, *events: Event) -> int:
        """The position of the last event."""
        for event in events:
            self.log.append(recorded(event, len(self.log) + 1))
        self._news.set()
        return len(self.log)

    async def head(self) -> tuple[UUID, int]:
        if self.away:
            raise self.away
        return self.incarnation, len(self.log)

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        self.reads += 1
        if self.away:
            raise self.away
        after = checkpoint.floor
        found = self.log[after : after + limit]
        return Batch(found, self.incarnation, len(self.log), found[-1].position if found else after)

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        if len(self.log) <= checkpoint.floor:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._news.wait()


class FakeStreams:
    """The streams of a fake log. `away_after` so many reads it raises; `most` is the most events given at once."""

    def __init__(self, feed: FakeFeed) -> None:
        self._feed = feed
        self.away_after: int | None = None
        self.most = 0

    async def head(self) -> tuple[UUID, int]:
        return await self._feed.head()

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]:
        if self.away_after is not None:
            if self.away_after == 0:
                raise OSError("the log is away")
            self.away_after -= 1
        upto = len(self._feed.log) if upto_position is None else upto_position
        found = [e for e in self._feed.log[:upto] if e.event.originator_id == id]
        found = [e for e in found if e.event.originator_version > after_version][:limit]
        self.most = max(self.most, len(found))
        return found
