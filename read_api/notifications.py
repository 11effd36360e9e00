"""Notifications in the graph: one's own, and for staff everybody's."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.notifications.events import Audience, Channel
from domain.notifications.notification import Status
from projections.listing import Condition, Ordering
from projections.notifications.queries import NOTIFICATIONS
from projections.notifications.row import NotificationRow
from projections.users.queries import USERS
from read_api.access import SignedIn, computed, root
from read_api.connection import (
    ORDERED,
    WHICH,
    After,
    Before,
    Connection,
    First,
    Last,
    Owner,
    Paging,
    connection,
    paging,
)
from read_api.context import Asked, Context
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, StringFilter, conditions
from read_api.node import Node
from read_api.scalars import Id, uuid_of

if TYPE_CHECKING:
    from read_api.users import User

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


@strawberry.type(description="An id or a number of what a notification is about.")
class NotificationFact:
    name: str = strawberry.field(description="What it is, such as `order_id`.")
    value: str = strawberry.field(description="The id or number.")


@strawberry.type(description="What somebody was told, or was to be told.")
class Notification(Node):
    version: int = strawberry.field(description="Counts its changes.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    user_id: strawberry.ID | None = strawberry.field(description="Null for what is told to an audience.")
    audience: Audience | None = strawberry.field(description="Who is told together. Null for what is told to one user.")
    channel: Channel = strawberry.field(description="By which way.")
    trigger: str = strawberry.field(description="What it is about: order-shipped, for example.")
    locale: str = strawberry.field(description="In which language, such as `ja-JP`.")
    facts: list[NotificationFact] = strawberry.field(description="The ids and numbers in it.")
    status: Status = strawberry.field(description="Where it is in its life.")
    unread: bool = strawberry.field(description="It is in the inbox and was not read yet.")
    code: str | None = strawberry.field(description="Why it was not sent; null unless it failed.")
    why: str | None = strawberry.field(description="The same in words; for staff only.")
    reference: str | None = strawberry.field(description="What it is called where it was sent; for staff only.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    ended_at: datetime | None = strawberry.field(description="When it was sent or failed.")
    read_at: datetime | None = strawberry.field(description="When it was read in the inbox.")

    @computed("Who was told. Null for what is told to an audience.")
    async def user(self, info: Asked) -> Annotated[User, strawberry.lazy("read_api.users")] | None:
        from read_api.users import user

        row = await info.context.loader(USERS.each).load(UUID(self.user_id)) if self.user_id else None
        return user(row, info.context.actor) if row else None


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


@strawberry.type
class NotificationsQuery:
    @root(SignedIn, "One notification. Null if there is none that you may see.")
    async def notification(self, info: Asked, id: Id) -> Notification | None:
        return await notification_by_id(info.context, uuid_of(id))

    @root(SignedIn, "What you were told; for staff, what everybody was.")
    async def notifications(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[NotificationsWhere | None, WHICH] = UNSET,
        order_by: Annotated[NotificationsOrderBy, ORDERED] = NotificationsOrderBy.REQUESTED_AT_DESC,
    ) -> Connection[Notification]:
        context = info.context
        own = [] if context.actor.in_charge else [Condition("user_id", "eq", context.actor.id)]
        return await connection(
            context,
            NOTIFICATIONS,
            [*own, *conditions(where)],
            order_by,
            paging(first, after, last, before),
            lambda row: notification(row, context.actor),
        )


async def notifications_of(
    context: Context, user: UUID, where: NotificationsWhere | None, paging: Paging
) -> Connection[Notification]:
    """Of a user that the actor may see, newest first."""
    return await connection(
        context,
        NOTIFICATIONS,
        list(conditions(where)),
        NotificationsOrderBy.REQUESTED_AT_DESC,
        paging,
        lambda row: notification(row, context.actor),
        Owner("user_id", user),
    )


async def notification_by_id(context: Context, id: UUID | None) -> Notification | None:
    row = await context.loader(NOTIFICATIONS.each).load(id) if id else None
    return notification(row, context.actor) if row and visible(row, context.actor) else None


def visible(row: NotificationRow, actor: Actor) -> bool:
    return actor.in_charge if row.user_id is None else actor.may_touch(row.user_id)


def notification(row: NotificationRow, actor: Actor) -> Notification:
    """The notification as `actor`, who may see it, may see it."""
    return Notification(
        id=strawberry.ID(str(row.id)),
        version=row.version,
        updated_at=row.updated_at,
        user_id=strawberry.ID(str(row.user_id)) if row.user_id else None,
        audience=row.audience,
        channel=row.channel,
        trigger=row.trigger,
        locale=row.locale,
        facts=[NotificationFact(name=name, value=str(value)) for name, value in row.facts.items()],
        status=row.status,
        unread=row.unread,
        code=row.code,
        why=row.why if actor.in_charge else None,
        reference=row.reference if actor.in_charge else None,
        requested_at=row.requested_at,
        ended_at=row.ended_at,
        read_at=row.read_at,
    )
