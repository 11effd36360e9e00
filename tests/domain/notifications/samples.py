"""A notification's usual history, one event a name."""

from __future__ import annotations

from domain.ids import UserId, derive
from domain.notifications.events import (
    Audience,
    Channel,
    Facts,
    NotificationFailed,
    NotificationRead,
    NotificationRequested,
    NotificationSent,
)
from domain.notifications.notification import Status, evolve, notification_of
from tests.specification import Specification, a

HANA = UserId(derive("test", "hana"))
CAUSE = derive("test", "an order was shipped")
ORDER = str(derive("test", "order"))
SHIPMENT = str(derive("test", "shipment"))
NOTIFICATION = notification_of(CAUSE, "order-shipped", Channel.EMAIL, HANA)
MESSAGE_ID = f"<{NOTIFICATION}@chobo.example>"
ABOUT: Facts = {"order_id": ORDER, "shipment_id": SHIPMENT}

notification = Specification(NOTIFICATION, evolve)


def requested_by(channel: Channel):
    return a(
        NotificationRequested,
        user_id=HANA,
        audience=None,
        channel=channel,
        trigger="order-shipped",
        locale="ja-JP",
        cause=CAUSE,
        facts=ABOUT,
    )


requested = requested_by(Channel.EMAIL)
in_the_inbox = requested_by(Channel.IN_APP)
for_staff = a(
    NotificationRequested,
    user_id=None,
    audience=Audience.STAFF,
    channel=Channel.IN_APP,
    trigger="stock-low",
    locale="en",
    cause=CAUSE,
    facts={"available": 3, "variant_id": str(derive("test", "variant"))},
)
sent = a(NotificationSent, reference=MESSAGE_ID)
failed = a(NotificationFailed, code="SMTP_550", why="the mail server answered 550")
was_read = a(NotificationRead)

WAYS_TO = {
    Status.REQUESTED: (requested,),
    Status.SENT: (requested, sent),
    Status.FAILED: (requested, failed),
}
"""The shortest usual history that leads to each status."""
