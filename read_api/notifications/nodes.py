"""A notification, and what hangs on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.actor import Actor
from projections.notifications.row import NotificationRow
from projections.users.queries import USERS
from read_api.access import computed
from read_api.context import Asked
from read_api.node import Node
from read_api.notifications.enums import Audience, Channel, Status
from read_api.notifications.parts import NotificationFact
from read_api.scalars import id_of

if TYPE_CHECKING:
    from read_api.users.nodes import User


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
    async def user(self, info: Asked) -> Annotated[User, strawberry.lazy("read_api.users.nodes")] | None:
        from read_api.users.nodes import user

        row = await info.context.loader(USERS.each).load(UUID(self.user_id)) if self.user_id else None
        return user(row, info.context.actor) if row else None


def visible(row: NotificationRow, actor: Actor) -> bool:
    return actor.in_charge if row.user_id is None else actor.may_touch(row.user_id)


def notification(row: NotificationRow, actor: Actor) -> Notification:
    """The notification as `actor`, who may see it, may see it."""
    return Notification(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        user_id=id_of(row.user_id) if row.user_id else None,
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
