"""The ports of the triggers: what the write side knows of an event's aggregate, and whom to ask for notifications."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from domain.event import JSON
from projections.todo import Work


class WriteSide(Protocol):
    async def get(self, context: str, id: UUID) -> Any | None:
        """The present state of an aggregate, None if it has no events."""
        ...


class Notifications(Protocol):
    async def notify(self, body: JSON, work: Work) -> UUID:
        """`POST /v1/notifications` as a service, with the work's id as its key: sent twice it is one request.

        The id of the (first) notification. Raises DomainError when it is refused; all else may be tried again.
        """
        ...
