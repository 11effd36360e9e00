"""A user, and what hangs on them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from projections.users.queries import sign_ins_of
from projections.users.row import UserRow
from read_api.access import computed
from read_api.actions import users as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.connection import WHICH, Connection
from read_api.context import Asked
from read_api.node import Node
from read_api.notifications.nodes import Notification
from read_api.notifications.query import notifications_of
from read_api.notifications.where import NotificationsWhere
from read_api.paging import Paged, Paging
from read_api.scalars import id_of
from read_api.users.enums import Notice, Role, Status
from read_api.users.parts import AddressBookEntry, SignIns, entry, signed_in

if TYPE_CHECKING:
    from read_api.orders.nodes import Order
    from read_api.orders.where import OrdersWhere
    from read_api.payments.nodes import Payment
    from read_api.payments.where import PaymentsWhere


@strawberry.type(description="Somebody with an account. What is personal is null once the user was erased.")
class User(Node):
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    status: Status = strawberry.field(description="Where they are in their life.")
    roles: list[Role] = strawberry.field(description="What they may do.")
    email: str | None = strawberry.field(description="Their e-mail address as they wrote it.")
    display_name: str | None = strawberry.field(description="What they want to be called.")
    first_name: str | None = strawberry.field(description="First name.")
    last_name: str | None = strawberry.field(description="Last name.")
    avatar_url: str | None = strawberry.field(description="Address of a picture of them.")
    bio: str | None = strawberry.field(description="What they say of themselves.")
    address_book: list[AddressBookEntry] = strawberry.field(description="In the order they were added.")
    locale: str = strawberry.field(description="Language and region, such as `ja-JP`.")
    notices: list[Notice] = strawberry.field(description="The mails the user wants.")
    suspended_for: str | None = strawberry.field(description="Why the user is suspended; for staff only.")
    created_at: datetime = strawberry.field(description="When they registered.")
    row: strawberry.Private[UserRow]

    @computed("What can be done to or by them, and why the rest cannot be done now; to customers what is for them.")
    def available_actions(self, info: Asked) -> list[AvailableAction]:
        return judged(actions.WAYS, actions.user_of(self.row), self.id, info.context.actor, info.context.permit)

    @computed("Null for the moment between registering and the first look.")
    async def sign_ins(self, info: Asked) -> SignIns | None:
        row = await info.context.loader(sign_ins_of).load(UUID(self.id))
        return signed_in(row) if row else None

    @computed("What they ordered, and their drafts.", Paged())
    async def orders(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[Annotated[OrdersWhere, strawberry.lazy("read_api.orders.where")] | None, WHICH] = UNSET,
    ) -> Connection[Annotated[Order, strawberry.lazy("read_api.orders.nodes")]]:
        from read_api.orders.query import orders_of

        return await orders_of(info.context, UUID(self.id), where, paging)

    @computed("What they paid, or tried to, the newest first.", Paged())
    async def payments(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[Annotated[PaymentsWhere, strawberry.lazy("read_api.payments.where")] | None, WHICH] = UNSET,
    ) -> Connection[Annotated[Payment, strawberry.lazy("read_api.payments.nodes")]]:
        from read_api.payments.query import payments_of

        return await payments_of(info.context, UUID(self.id), where, paging)

    @computed("What they were told, the newest first.", Paged())
    async def notifications(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[NotificationsWhere | None, WHICH] = UNSET,
    ) -> Connection[Notification]:
        return await notifications_of(info.context, UUID(self.id), where, paging)


def user(row: UserRow, actor: Actor) -> User:
    """The user as `actor`, who is the user or staff, may see them."""
    return User(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        roles=list(row.roles),
        email=row.email,
        display_name=row.display_name,
        first_name=row.first_name,
        last_name=row.last_name,
        avatar_url=row.avatar_url,
        bio=row.bio,
        address_book=[entry(each, row) for each in row.addresses],
        locale=row.locale,
        notices=list(row.notices),
        suspended_for=row.suspended_for if actor.in_charge else None,
        created_at=row.created_at,
        row=row,
    )
