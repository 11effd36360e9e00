"""The port through which a consumer sees a context's log: the log itself or, later, its Kafka topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.event import Event


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the log holds it: with its place and where it came from."""

    event: Event
    position: int
    slice: int
    event_id: UUID
    recorded_at: datetime
    correlation_id: str
    causation_id: UUID | None
    actor: str
    traceparent: str | None


class Unreadable(Event):
    """Stands for a stored event this release cannot decode: unknown type, newer schema version, corrupt state.

    A feed hands it over in its place, so that the consumer can stop at it without losing what comes before.
    """

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What a consumer is given at once, in order of position.

    `incarnation` and `head` are the log's; `floor` says that every slice is handed over up to there.
    """

    recorded: Sequence[Recorded]
    incarnation: UUID
    floor: int
    head: int


class Feed(Protocol):
    """Recorded events of one context, from any floor on. Raises its own errors when the source is away: try again."""

    @property
    def context(self) -> str: ...

    async def read(self, after: int, limit: int) -> Batch:
        """At most `limit` events above the position `after`; none when there is nothing new."""
        ...

    async def wait(self, after: int, timeout: float) -> None:
        """Returns when there may be events above `after`, at the latest after `timeout` seconds."""
        ...
