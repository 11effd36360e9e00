"""Notifications: what somebody is told, by which channel, and whether it got there."""

from domain.aggregate import Context
from domain.notifications.events import NotificationEvent
from domain.notifications.notification import evolve

CONTEXT = Context("notifications", {NotificationEvent: evolve})
