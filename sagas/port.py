"""The port through which sagas have something done: a row of the command API, in this process or in another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from domain.sagas.events import Facts


@dataclass(frozen=True, slots=True)
class Request:
    """`POST path` with this body. `key` is the idempotency key: sent again under it, it is done once."""

    key: UUID
    path: str
    body: Facts
    correlation_id: str
    causation_id: UUID | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """It was done: the aggregate's version and status after it."""

    version: int
    status: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It never will be under this key; `code` is one of `docs/errors.md`."""

    code: str
    detail: str
    facts: Facts = field(default_factory=dict)


class Undelivered(Exception):
    """Whether it was done is not known, or it was not even tried: send it again under the same key."""


class Commands(Protocol):
    async def send(self, request: Request) -> Accepted | Refused:
        """Raises Undelivered."""
        ...
