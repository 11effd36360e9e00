"""The port to the event log: what the write loop asks of it and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from commands.reply import Envelope
from domain.event import Event


class Unavailable(Exception):
    """The log cannot be read, or written, at present."""


@dataclass(slots=True)  # not frozen, as that would double the cost of what is made for every event
class Encoded:
    """An event with the state that is stored of it."""

    event: Event
    state: bytes
    event_id: bytes  # of a UUIDv7


@dataclass(frozen=True, slots=True)
class KeyedReply:
    key: UUID
    digest: bytes
    body: bytes
    keep_until: datetime | None


@dataclass(slots=True)
class Unit:
    """One command's outcome as it is written: its events, none for a refusal, and the reply to its key.

    Who asked and in what course, which is stored with every event, is in the envelope.
    """

    component: int
    envelope: Envelope
    events: Sequence[Encoded]
    reply: KeyedReply | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one append writes: the versions each component read (absent 0), and the units in the order decided.

    `still_waiting`: commands of this process came too late in an earlier call and are not answered yet.
    """

    reads: Sequence[Mapping[UUID, int]]
    units: Sequence[Unit]
    still_waiting: bool = False


@dataclass(frozen=True, slots=True)
class StoredReply:
    digest: bytes
    body: bytes
    first: int | None


@dataclass(slots=True)
class Appended:
    """What an append answers. `first` has for each unit the position of its first event, None where it wrote none.

    `stale` are the components of which nothing was written; for these come the `replies` their keys already have, the
    `newer` events of what they read, and in `reload` the aggregates with too many of those. `recognised` are units that
    an earlier try of this very batch had written before its connection was lost, with their first positions.
    """

    first: list[int | None]
    contended: bool = False
    stale: frozenset[int] = frozenset()
    replies: dict[UUID, StoredReply] = field(default_factory=dict)
    newer: dict[UUID, list[Event]] = field(default_factory=dict)
    reload: set[UUID] = field(default_factory=set)
    recognised: dict[int, int | None] = field(default_factory=dict)


class RefusedByLog(Exception):
    """The database refused the data of a batch; nothing of it was written."""


class Log(Protocol):
    def encode(self, event: Event) -> bytes:
        """The stored state. Raises KeyNeeded when the owner's key is not at hand."""
        ...

    async def fetch_keys(self, owners: Iterable[UUID]) -> None: ...

    async def reply(self, key: UUID) -> StoredReply | None:
        """The reply a key has, if it has one. Raises Unavailable."""
        ...

    async def append(self, batch: Batch, deadline: float) -> Appended:
        """Writes a batch. Calls are executed in the order they are made. `deadline` is in loop time.

        Raises OutcomeUnknown, RefusedByLog, and Unavailable when nothing is written here now (the log is moved).
        """
        ...

    def kept(self, state: Any) -> None:
        """A state that was written and is kept in memory: the occasion for a snapshot."""
        ...

    async def load(self, known: Mapping[UUID, Any]) -> dict[UUID, Any]:
        """For each aggregate its present state, from the one known (None: from the start). Raises Unavailable."""
        ...


class KeyNeeded(Exception):
    """A personal field belongs to a user whose key is not at hand; `fetch_keys` gets it."""

    def __init__(self, owner: UUID) -> None:
        super().__init__(f"the key of {owner} is not at hand")
        self.owner = owner
