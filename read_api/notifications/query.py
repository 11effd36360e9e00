"""Notifications: one's own, and for staff everybody's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from projections.notifications.queries import NOTIFICATIONS
from read_api.access import SignedIn, root
from read_api.connection import ORDERED, WHICH, Connection, Owner, connection
from read_api.context import Asked, Context
from read_api.filters import conditions, own
from read_api.notifications.nodes import Notification, notification, visible
from read_api.notifications.where import NotificationsOrderBy, NotificationsWhere
from read_api.paging import Paged, Paging
from read_api.scalars import Id, uuid_of


@strawberry.type
class NotificationsQuery:
    @root(SignedIn, "One notification. Null if there is none that you may see.")
    async def notification(self, info: Asked, id: Id) -> Notification | None:
        return await notification_by_id(info.context, uuid_of(id))

    @root(SignedIn, "What you were told; for staff, what everybody was.", Paged())
    async def notifications(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[NotificationsWhere | None, WHICH] = UNSET,
        order_by: Annotated[NotificationsOrderBy, ORDERED] = NotificationsOrderBy.REQUESTED_AT_DESC,
    ) -> Connection[Notification]:
        context = info.context
        return await connection(
            context, NOTIFICATIONS, [*own(context.actor, "user_id"), *conditions(where)], order_by, paging, notification
        )


async def notifications_of(
    context: Context, user: UUID, where: NotificationsWhere | None, paging: Paging
) -> Connection[Notification]:
    """Of a user that the actor may see, newest first."""
    newest, owner = NotificationsOrderBy.REQUESTED_AT_DESC, Owner("user_id", user)
    return await connection(context, NOTIFICATIONS, list(conditions(where)), newest, paging, notification, owner)


async def notification_by_id(context: Context, id: UUID | None) -> Notification | None:
    row = await context.loader(NOTIFICATIONS.each).load(id) if id else None
    return notification(row, context.actor) if row and visible(row, context.actor) else None
