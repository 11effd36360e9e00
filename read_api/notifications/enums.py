"""The words of a notification, and what they mean."""

from __future__ import annotations

from domain.notifications.events import Audience, Channel
from domain.notifications.notification import Status
from read_api.described import described

__all__ = ["Audience", "Channel", "Status"]

described(
    Channel,
    "By which way somebody is told.",
    name="NotificationChannel",
    EMAIL="By mail.",
    SMS="By text message.",
    PUSH="On their devices.",
    IN_APP="In the inbox.",
)


described(
    Status,
    "Where a notification is in its life.",
    name="NotificationStatus",
    REQUESTED="It is to be sent.",
    SENT="It was handed over.",
    FAILED="It was not sent, and will not be.",
)


described(
    Audience,
    "Who is told together.",
    name="NotificationAudience",
    STAFF="Those who work in the shop.",
)
