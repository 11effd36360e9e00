"""Everything that can be asked for about notifications, and by whom."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from commands.notifications.messages import Notify, ReadNotification
from commands.notifications.prepare import addressed
from commands.route import CREATED, REQUIRED, Resource, Route
from domain.notifications.notification import Notification

NOBODY: Final = UUID(int=0)

ROUTES: Final = [
    Route("/v1/notifications", Notify, "notifications:request", key=REQUIRED, answer=CREATED, prepare=addressed),
    Route("/v1/notifications/{id}/read", ReadNotification, "notifications:read"),
]


def owner(notification: Notification) -> UUID:
    """What is for the staff belongs to nobody: only who is in charge sees it."""
    return notification.user_id or NOBODY


RESOURCES: Final = [Resource("notifications", Notification, "notifications", "notifications:look", owner=owner)]
