"""Notifications as they are looked up: the inbox, and what became of all others."""

from __future__ import annotations

from domain.notifications.events import (
    Channel,
    NotificationEvent,
    NotificationFailed,
    NotificationRead,
    NotificationRequested,
    NotificationSent,
)
from domain.notifications.notification import Status
from projections.model import Model, Projector, opened
from projections.notifications.row import NotificationRow
from projections.row import replace

notifications = Projector("notifications", NotificationRow, NotificationEvent)

NOTIFICATIONS = Model("notifications", contexts=("notifications",), projectors=(notifications,))
"""Nothing to erase: whoever is told is in here by their id only."""


@notifications.opens(NotificationRequested)
def requested(event: NotificationRequested) -> NotificationRow:
    return NotificationRow(
        **opened(event),
        user_id=event.user_id,
        audience=event.audience,
        channel=event.channel,
        trigger=event.trigger,
        locale=event.locale,
        cause=event.cause,
        facts=event.facts,
        status=Status.REQUESTED,
        unread=event.channel is Channel.IN_APP,
        requested_at=event.timestamp,
    )


@notifications.on(NotificationSent)
def sent(row: NotificationRow, event: NotificationSent) -> NotificationRow:
    return replace(row, status=Status.SENT, reference=event.reference, ended_at=event.timestamp)


@notifications.on(NotificationFailed)
def failed(row: NotificationRow, event: NotificationFailed) -> NotificationRow:
    """What could not be told is not in the inbox either."""
    return replace(row, status=Status.FAILED, unread=False, code=event.code, why=event.why, ended_at=event.timestamp)


@notifications.on(NotificationRead)
def was_read(row: NotificationRow, event: NotificationRead) -> NotificationRow:
    return replace(row, unread=False, read_at=event.timestamp)
