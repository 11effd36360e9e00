"""A notification: requested -> sent | failed; one in the inbox can be read besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from domain.errors import AlreadyExists
from domain.event import after, first
from domain.ids import NotificationId, UserId, derive
from domain.lifecycle import require
from domain.notifications.errors import NotInTheInbox
from domain.notifications.events import (
    AnyNotificationEvent,
    Audience,
    Channel,
    Facts,
    NotificationFailed,
    NotificationRead,
    NotificationRequested,
    NotificationSent,
)


class Status(StrEnum):
    REQUESTED = "REQUESTED"
    SENT = "SENT"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Notification:
    """`reference` once it was sent; `code` and `why` once it failed. `user_id` or `audience` is None."""

    id: NotificationId
    version: int
    status: Status
    user_id: UserId | None
    audience: Audience | None
    channel: Channel
    trigger: str
    locale: str
    facts: Mapping[str, int | str]
    reference: str = ""
    code: str = ""
    why: str = ""
    read: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """Who is to be told what, because of which event."""

    cause: UUID
    trigger: str
    user_id: UserId | None
    audience: Audience | None
    locale: str
    facts: Facts


def notification_of(cause: UUID, trigger: str, channel: Channel, to: UserId | Audience) -> NotificationId:
    """The one notification of this recipient of this event by this channel, however often the event comes."""
    return NotificationId(derive("notification", f"{cause}/{trigger}/{channel}/{to}"))


def request(
    notification: Notification | None, id: NotificationId, asked: Request, channel: Channel, *, at: datetime
) -> NotificationRequested:
    if notification is not None:
        raise AlreadyExists("notification", id)
    return NotificationRequested(
        **first(id, at),
        user_id=asked.user_id,
        audience=asked.audience,
        channel=channel,
        trigger=asked.trigger,
        locale=asked.locale,
        cause=asked.cause,
        facts=asked.facts,
    )


def send(notification: Notification, reference: str, *, at: datetime) -> NotificationSent | None:
    """Sent twice it is sent. Raises NotAllowedNow where it has failed: the first outcome stands."""
    if notification.status is Status.SENT:
        return None
    require(notification, Status.REQUESTED)
    return NotificationSent(**after(notification, at), reference=reference)


def fail(notification: Notification, code: str, why: str, *, at: datetime) -> NotificationFailed | None:
    if notification.status is Status.FAILED:
        return None
    require(notification, Status.REQUESTED)
    return NotificationFailed(**after(notification, at), code=code, why=why)


def read(notification: Notification, *, at: datetime) -> NotificationRead | None:
    """Raises NotInTheInbox."""
    if notification.channel is not Channel.IN_APP:
        raise NotInTheInbox(notification.id, notification.channel)
    require(notification, Status.REQUESTED, Status.SENT)
    return None if notification.read else NotificationRead(**after(notification, at))


def evolve(notification: Notification | None, event: AnyNotificationEvent) -> Notification:
    if isinstance(event, NotificationRequested):
        return requested(event)
    assert notification is not None
    notification = replace(notification, version=event.originator_version)
    match event:
        case NotificationSent():
            return replace(notification, status=Status.SENT, reference=event.reference)
        case NotificationFailed():
            return replace(notification, status=Status.FAILED, code=event.code, why=event.why)
        case NotificationRead():
            return replace(notification, read=True)
        case _:
            assert_never(event)


def requested(event: NotificationRequested) -> Notification:
    return Notification(
        NotificationId(event.originator_id), event.originator_version, Status.REQUESTED, event.user_id, event.audience,
        event.channel, event.trigger, event.locale, event.facts,
    )  # fmt: skip
