"""What somebody was to be told, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from domain.event import Event
from domain.ids import UserId

TriggerName = Annotated[str, StringConstraints(min_length=3, max_length=64, pattern=r"^[a-z][a-z-]*[a-z]$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Z][A-Z0-9_]*$")]
FactName = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z_]*$")]
Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_.:+-]+$")]
"""An id, a code or a time: no name and no address fits in here."""


def _in_order(facts: dict[str, int | str]) -> dict[str, int | str]:
    return dict(sorted(facts.items()))


Facts = Annotated[dict[FactName, int | Word], Field(max_length=20), AfterValidator(_in_order)]
"""Ids and numbers, nothing about a person: these are never sealed. In one order, as equal facts are equal bytes."""


class Channel(StrEnum):
    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"
    IN_APP = "IN_APP"


class Audience(StrEnum):
    """Who is told together, in one notification."""

    STAFF = "staff"


class NotificationEvent(Event):
    """Base of every event of a notification."""


class NotificationRequested(NotificationEvent):
    """Somebody is to be told: `user_id`, or everybody of `audience`. `cause` is the event that it is about.

    An in-app one is with this where it belongs, in the inbox.
    """

    TOPIC = "notifications.notification-requested"

    user_id: UserId | None
    audience: Audience | None
    channel: Channel
    trigger: TriggerName
    locale: str
    cause: UUID
    facts: Facts


class NotificationSent(NotificationEvent):
    """The channel took it. `reference` is what it is called there: a mail's Message-ID, a provider's id."""

    TOPIC = "notifications.notification-sent"

    reference: str


class NotificationFailed(NotificationEvent):
    """It was not sent and will not be. `why` has nothing about a person in it."""

    TOPIC = "notifications.notification-failed"

    code: Code
    why: str


class NotificationRead(NotificationEvent):
    """Its recipient has seen it in the inbox."""

    TOPIC = "notifications.notification-read"


AnyNotificationEvent = NotificationRequested | NotificationSent | NotificationFailed | NotificationRead
