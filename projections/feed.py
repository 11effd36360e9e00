"""The port through which a consumer sees a context's log: the log itself or its Kafka topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.event import Event
from projections.checkpoint import Checkpoint


class Recorded(NamedTuple):
    """An event as the log holds it: with its place and where it came from. A tuple, for there are very many."""

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

    A feed hands it over in its place, so that the consumer can park it without losing what comes before and after.
    """

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What a consumer is given at once: for each slice every event above the checkpoint up to the last one in here.

    In order within a slice; between slices any order will do. Filling gaps, dropping what comes twice and telling one
    incarnation from another are the feed's business. `incarnation` and `head` are the log's. `floor` says that every
    slice is handed over up to there (the checkpoint's, from a feed that moves slices), `slices` to where single ones
    are; both may be beyond the last event, where there is none of the slice.
    """

    recorded: Sequence[Recorded]
    incarnation: UUID
    head: int
    floor: int
    slices: Mapping[int, int] = field(default_factory=dict)


class Feed(Protocol):
    """Recorded events of one context. Raises its own errors when the source is away: try again."""

    @property
    def context(self) -> str: ...

    async def head(self) -> tuple[UUID, int]:
        """The log's incarnation and its last position."""
        ...

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        """About `limit` events above the checkpoint at most; none when there is nothing new.

        The checkpoint says what is done with: a feed that holds events back may forget those it covers, and gives the
        others again. It holds them as they are stored and opens them each time they are given: a person may be erased.
        """
        ...

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        """Returns when there may be events above the checkpoint, at the latest after `timeout` seconds."""
        ...
