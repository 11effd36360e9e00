"""A notification as it is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.notifications.events import Audience, Channel, Facts
from domain.notifications.notification import Status


@dataclass(frozen=True)
class NotificationRow:
    """Columns of the table `notifications`. Nothing in it is personal: names and addresses are never part of an event.

    `unread`: it is in the inbox and was not read. `reference` once it was sent; `code` and `why` once it failed.
    """

    id: UUID
    version: int
    updated_at: datetime
    user_id: UUID | None
    audience: Audience | None
    channel: Channel
    trigger: str
    locale: str
    cause: UUID
    facts: Facts
    status: Status
    unread: bool
    requested_at: datetime
    reference: str | None = None
    code: str | None = None
    why: str | None = None
    ended_at: datetime | None = None
    read_at: datetime | None = None
