"""Which notifications are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, StringFilter
from read_api.notifications.enums import Audience, Channel, Status


class NotificationsOrderBy(Enum):
    REQUESTED_AT_ASC = Ordering("requested_at")
    REQUESTED_AT_DESC = Ordering("requested_at", descending=True)


described(
    NotificationsOrderBy,
    "Orderings of notifications.",
    REQUESTED_AT_ASC="The oldest first.",
    REQUESTED_AT_DESC="The newest first.",
)


@strawberry.input(description="Conditions on a notification's status.")
class NotificationStatusFilter:
    eq: Status | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[Status] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on a notification's channel.")
class NotificationChannelFilter:
    eq: Channel | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[Channel] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="A condition on whom a notification is for.")
class NotificationAudienceFilter:
    eq: Audience | None = strawberry.field(default=UNSET, description="It is this one.")


@strawberry.input(description="A condition that holds or does not.")
class BooleanFilter:
    eq: bool | None = strawberry.field(default=UNSET, description="It is this one.")


@strawberry.input(description="Conditions on notifications; all that are given must hold.")
class NotificationsWhere:
    user_id: IdFilter | None = strawberry.field(default=UNSET, description="Who is told.")
    audience: NotificationAudienceFilter | None = strawberry.field(default=UNSET, description="Who is told together.")
    channel: NotificationChannelFilter | None = strawberry.field(default=UNSET, description="By which way.")
    trigger: StringFilter | None = strawberry.field(
        default=UNSET, description="What it is about: order-shipped, for example."
    )
    status: NotificationStatusFilter | None = strawberry.field(default=UNSET, description="Where it is in its life.")
    unread: BooleanFilter | None = strawberry.field(
        default=UNSET, description="Whether it is in the inbox and was not read yet."
    )
    requested_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it was asked for.")
