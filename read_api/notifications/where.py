"""Which notifications are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import BooleanFilter, DateTimeFilter, IdFilter, Is, OneOf, StringFilter, optional
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
class NotificationStatusFilter(OneOf[Status]):
    pass


@strawberry.input(description="Conditions on a notification's channel.")
class NotificationChannelFilter(OneOf[Channel]):
    pass


@strawberry.input(description="A condition on whom a notification is for.")
class NotificationAudienceFilter(Is[Audience]):
    pass


@strawberry.input(description="Conditions on notifications; all that are given must hold.")
class NotificationsWhere:
    user_id: IdFilter | None = optional("Who is told.")
    audience: NotificationAudienceFilter | None = optional("Who is told together.")
    channel: NotificationChannelFilter | None = optional("By which way.")
    trigger: StringFilter | None = optional("What it is about: order-shipped, for example.")
    status: NotificationStatusFilter | None = optional("Where it is in its life.")
    unread: BooleanFilter | None = optional("Whether it is in the inbox and was not read yet.")
    requested_at: DateTimeFilter | None = optional("When it was asked for.")
