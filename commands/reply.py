"""Envelopes and replies: what goes into the write loop beside the command, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from commands.handler import Answer
from commands.message import Command
from domain.errors import REFUSALS, DomainError, Kind, remake


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key as it is stored: `id` hashes principal, route and the client's key, `digest` the body.

    `keep_until` None keeps the reply until its saga has ended.
    """

    id: UUID
    digest: bytes
    keep_until: datetime | None


@dataclass(slots=True)  # not frozen, like what else is made for every command: that would double its cost
class Envelope:
    """A command and where it comes from. `expected_version` is If-Match; `deadline` is in seconds from submission."""

    command: Command
    correlation_id: str
    causation_id: UUID | None = None
    traceparent: str | None = None
    key: Key | None = None
    expected_version: int | None = None
    deadline: float = 10.0


@dataclass(slots=True)
class Reply:
    """The one outcome of a command: an answer or a refusal, and the positions at which its events can be seen.

    `positions` are (slice, position) in this context's log; empty when nothing was written.
    """

    answer: Answer | None
    refusal: DomainError | None = None
    positions: tuple[tuple[int, int], ...] = ()
    replayed: bool = field(default=False, compare=False)

    def result(self) -> Answer:
        """The answer. Raises the refusal if it was refused."""
        if self.refusal is not None:
            raise self.refusal
        assert self.answer is not None
        return self.answer

    def again(self) -> Reply:
        return replace(self, replayed=True)


class KeyReused(DomainError):
    """The same idempotency key came with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"
    title = "This idempotency key was used with another request"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key came before with another body: use a new key for a new request")

    @property
    def final(self) -> bool:
        return False


class OutcomeUnknown(Exception):
    """Whether the command was written could not be found out before the deadline. Ask again with the same key."""


class Overloaded(Exception):
    """The queue is full. `retry_after` is in seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("too many commands are waiting")
        self.retry_after = retry_after


def stored(reply: Reply, slices: list[int]) -> bytes:
    """The reply as it is kept with its key; positions are kept as the slices of its events in order."""
    body: dict[str, Any] = {"slices": slices}
    if reply.answer is not None:
        body |= {"id": reply.answer.id, "version": reply.answer.version, "status": reply.answer.status}
    if reply.refusal is not None:
        error = reply.refusal
        body["refused"] = {"code": error.code, "detail": error.detail, "facts": error.facts}
    return to_json(body)


def restored(body: bytes, first: int | None) -> Reply:
    """The reply a key already has; `first` is the position of its first event, None if it wrote none."""
    value = from_json(body)
    positions = positions_of(value["slices"], first)
    if refused := value.get("refused"):
        error = remake(REFUSALS[refused["code"]], refused["detail"], refused["facts"])
        return Reply(None, error, positions, replayed=True)
    return Reply(Answer(UUID(value["id"]), value["version"], value["status"]), None, positions, replayed=True)


def positions_of(slices: list[int], first: int | None) -> tuple[tuple[int, int], ...]:
    """The last position in each slice, of events that lie one behind the other from `first` on."""
    if first is None:
        return ()
    if len(slices) == 1:
        return ((slices[0], first),)
    return tuple({slice: first + i for i, slice in enumerate(slices)}.items())
