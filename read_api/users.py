"""Users in the graph: oneself, and for staff everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor, Role
from domain.users.user import Status
from domain.users.values import Notice, normalised
from projections.listing import Condition, Ordering
from projections.users.queries import USERS, sign_ins_of
from projections.users.row import AddressRow, SignInsRow, UserRow
from read_api.access import SignedIn, Staff, computed, root
from read_api.connection import After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.errors import InvalidFilter
from read_api.filters import DateTimeFilter, conditions
from read_api.node import Node
from read_api.notifications import Notification, NotificationsWhere, notifications_of
from read_api.scalars import Address, Long, address, uuid_of

if TYPE_CHECKING:
    from read_api.orders import Order, OrdersWhere

strawberry.enum(Status, name="UserStatus", description="Where a user is in their life.")
strawberry.enum(Role, description="What somebody may do. Only processes are SERVICE.")
strawberry.enum(Notice, description="Mails a user may choose to get.")


@strawberry.type(description="An address of a user's address book.")
class AddressBookEntry:
    id: strawberry.ID
    address: Address
    is_default: bool


@strawberry.type(description="How a user has signed in so far.")
class SignIns:
    count: Long
    last_at: datetime | None
    locked_until: datetime | None = strawberry.field(
        description="Until when no password is taken, after repeated failures. May lie in the past."
    )


@strawberry.type(description="Somebody with an account. What is personal is null once the user was erased.")
class User(Node):
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime
    status: Status
    roles: list[Role]
    email: str | None
    display_name: str | None
    first_name: str | None
    last_name: str | None
    avatar_url: str | None
    bio: str | None
    address_book: list[AddressBookEntry] = strawberry.field(description="In the order they were added.")
    locale: str
    notices: list[Notice] = strawberry.field(description="The mails the user wants.")
    suspended_for: str | None = strawberry.field(description="Why the user is suspended; for staff only.")
    created_at: datetime

    @computed("Null for the moment between registering and the first look.")
    async def sign_ins(self, info: Asked) -> SignIns | None:
        row = await info.context.loader(sign_ins_of).load(UUID(self.id))
        return signed_in(row) if row else None

    @computed("What they ordered, and their drafts.")
    async def orders(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[OrdersWhere, strawberry.lazy("read_api.orders")] | None = UNSET,
    ) -> Connection[Annotated[Order, strawberry.lazy("read_api.orders")]]:
        from read_api.orders import orders_of

        return await orders_of(info.context, UUID(self.id), where, paging(first, after, last, before))

    @computed("What they were told, the newest first.")
    async def notifications(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: NotificationsWhere | None = UNSET,
    ) -> Connection[Notification]:
        return await notifications_of(info.context, UUID(self.id), where, paging(first, after, last, before))


@strawberry.enum(description="Orderings of users.")
class UsersOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)
    UPDATED_AT_ASC = Ordering("updated_at")
    UPDATED_AT_DESC = Ordering("updated_at", descending=True)


@strawberry.input(description="Conditions on a user's status; all that are given must hold.")
class UserStatusFilter:
    eq: Status | None = UNSET
    in_: list[Status] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input(description="A condition on an e-mail address. Spellings of one address are equal.")
class EmailFilter:
    eq: str | None = UNSET


@strawberry.input(description="A condition on roles: the user has this one, perhaps among others.")
class RoleFilter:
    eq: Role | None = UNSET


@strawberry.input(description="Conditions on users; all that are given must hold.")
class UsersWhere:
    status: UserStatusFilter | None = UNSET
    email: EmailFilter | None = UNSET
    role: RoleFilter | None = UNSET
    created_at: DateTimeFilter | None = UNSET


@strawberry.type
class UsersQuery:
    @root(SignedIn, "Yourself. Null for a process, which is nobody.")
    async def me(self, info: Asked) -> User | None:
        return await user_by_id(info.context, info.context.actor.id)

    @root(SignedIn, "One user. Null if there is none that you may see.")
    async def user(self, info: Asked, id: strawberry.ID) -> User | None:
        return await user_by_id(info.context, uuid_of(id))

    @root(Staff, "Everybody with an account.")
    async def users(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: UsersWhere | None = UNSET,
        order_by: UsersOrderBy = UsersOrderBy.CREATED_AT_DESC,
    ) -> Connection[User]:
        context = info.context
        return await connection(
            context,
            USERS,
            list(columns(where)),
            order_by,
            paging(first, after, last, before),
            lambda row: user(row, context.actor),
        )


async def user_by_id(context: Context, id: UUID | None) -> User | None:
    if id is None or not context.actor.may_touch(id):
        return None
    row = await context.loader(USERS.each).load(id)
    return user(row, context.actor) if row else None


def columns(where: UsersWhere | None) -> Iterator[Condition]:
    """The conditions, on the columns that answer them. Raises InvalidFilter."""
    for condition in conditions(where):
        match condition.column:
            case "email":
                yield Condition("email_key", condition.operator, email_key(condition.value))
            case "role":
                yield Condition("roles", "has", condition.value)
            case _:
                yield condition


def email_key(email: str) -> str:
    try:
        return normalised(email)
    except ValueError:
        raise InvalidFilter("email.eq", "is no e-mail address") from None


def user(row: UserRow, actor: Actor) -> User:
    """The user as `actor`, who is the user or staff, may see them."""
    return User(
        id=strawberry.ID(str(row.id)),
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
    )


def entry(row: AddressRow, of: UserRow) -> AddressBookEntry:
    shown = address(row.address)
    assert shown is not None
    return AddressBookEntry(id=strawberry.ID(str(row.id)), address=shown, is_default=row.id == of.default_address_id)


def signed_in(row: SignInsRow) -> SignIns:
    return SignIns(count=Long(row.sign_ins), last_at=row.last_sign_in, locked_until=row.locked_until)
