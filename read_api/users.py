"""Users in the graph: oneself, and for staff everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor, Role
from domain.users.user import Status
from domain.users.values import Notice, normalised
from projections.listing import Condition, Ordering
from projections.users.projector import USERS as MODEL
from projections.users.projector import users as projector
from projections.users.queries import USERS, sign_ins_of
from projections.users.row import AddressRow, SignInsRow, UserRow
from read_api.access import SignedIn, Staff, computed, root
from read_api.actions import users as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.connection import ORDERED, WHICH, After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.described import described
from read_api.errors import InvalidFilter
from read_api.filters import DateTimeFilter, conditions
from read_api.history import AsOf, Kind, When, row_of
from read_api.node import Node
from read_api.notifications import Notification, NotificationsWhere, notifications_of
from read_api.scalars import Address, Id, Long, address, uuid_of

if TYPE_CHECKING:
    from read_api.orders import Order, OrdersWhere

USER: Final = Kind("users", MODEL, projector, USERS)

described(
    Status,
    "Where a user is in their life.",
    name="UserStatus",
    REGISTERED="Has not shown yet that the e-mail address is theirs.",
    ACTIVE="May sign in and buy.",
    SUSPENDED="Was shut out for a while.",
    ERASED="Nothing personal is known of them any more.",
)
described(
    Role,
    "What somebody may do. Only processes are SERVICE.",
    CUSTOMER="Buys.",
    STAFF="Looks, and looks after the catalogue and the orders.",
    OPERATOR="Acts on what went wrong.",
    ADMIN="Grants roles, acts in bulk.",
    SERVICE="Is a process of the shop's.",
)
described(
    Notice,
    "Mails a user may choose to get.",
    ORDER_UPDATES="How their orders go on.",
    BACK_IN_STOCK="What can be had again.",
    OFFERS="What is to be had for less.",
)


@strawberry.type(description="An address of a user's address book.")
class AddressBookEntry:
    id: strawberry.ID = strawberry.field(description="Its id in the address book.")
    address: Address = strawberry.field(description="The address.")
    is_default: bool = strawberry.field(description="Whether it is used when none is chosen.")


@strawberry.type(description="How a user has signed in so far.")
class SignIns:
    count: Long = strawberry.field(description="How often they signed in.")
    last_at: datetime | None = strawberry.field(description="When they did so last.")
    locked_until: datetime | None = strawberry.field(
        description="Until when no password is taken, after repeated failures. May lie in the past."
    )


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

    @computed("What they ordered, and their drafts.")
    async def orders(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[Annotated[OrdersWhere, strawberry.lazy("read_api.orders")] | None, WHICH] = UNSET,
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
        where: Annotated[NotificationsWhere | None, WHICH] = UNSET,
    ) -> Connection[Notification]:
        return await notifications_of(info.context, UUID(self.id), where, paging(first, after, last, before))


class UsersOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)
    UPDATED_AT_ASC = Ordering("updated_at")
    UPDATED_AT_DESC = Ordering("updated_at", descending=True)


described(
    UsersOrderBy,
    "Orderings of users.",
    CREATED_AT_ASC="Who registered first.",
    CREATED_AT_DESC="Who registered last.",
    UPDATED_AT_ASC="Who has not changed for longest.",
    UPDATED_AT_DESC="Who changed last.",
)


@strawberry.input(description="Conditions on a user's status; all that are given must hold.")
class UserStatusFilter:
    eq: Status | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[Status] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="A condition on an e-mail address. Spellings of one address are equal.")
class EmailFilter:
    eq: str | None = strawberry.field(default=UNSET, description="It is this one.")


@strawberry.input(description="A condition on roles: the user has this one, perhaps among others.")
class RoleFilter:
    eq: Role | None = strawberry.field(default=UNSET, description="It is this one.")


@strawberry.input(description="Conditions on users; all that are given must hold.")
class UsersWhere:
    status: UserStatusFilter | None = strawberry.field(default=UNSET, description="Where they are in their life.")
    email: EmailFilter | None = strawberry.field(default=UNSET, description="Their e-mail address.")
    role: RoleFilter | None = strawberry.field(default=UNSET, description="A role they have.")
    created_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When they registered.")


@strawberry.type
class UsersQuery:
    @root(SignedIn, "Yourself. Null for a process, which is nobody.")
    async def me(self, info: Asked) -> User | None:
        return await user_by_id(info.context, info.context.actor.id)

    @root(SignedIn, "One user. Null if there is none that you may see.")
    async def user(self, info: Asked, id: Id, as_of: When = UNSET) -> User | None:
        return await user_by_id(info.context, uuid_of(id), as_of or None)

    @root(Staff, "Everybody with an account.")
    async def users(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[UsersWhere | None, WHICH] = UNSET,
        order_by: Annotated[UsersOrderBy, ORDERED] = UsersOrderBy.CREATED_AT_DESC,
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


async def user_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> User | None:
    if id is None or not context.actor.may_touch(id):
        return None
    row = await row_of(context, USER, id, as_of)
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
        row=row,
    )


def entry(row: AddressRow, of: UserRow) -> AddressBookEntry:
    shown = address(row.address)
    assert shown is not None
    return AddressBookEntry(id=strawberry.ID(str(row.id)), address=shown, is_default=row.id == of.default_address_id)


def signed_in(row: SignInsRow) -> SignIns:
    return SignIns(count=Long(row.sign_ins), last_at=row.last_sign_in, locked_until=row.locked_until)
