"""Which users are listed, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import strawberry

from domain.users.values import normalised
from projections.listing import Condition, Ordering
from read_api.described import described
from read_api.errors import InvalidFilter
from read_api.filters import DateTimeFilter, Is, OneOf, conditions, optional
from read_api.users.enums import Role, Status


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
class UserStatusFilter(OneOf[Status]):
    pass


@strawberry.input(description="A condition on an e-mail address. Spellings of one address are equal.")
class EmailFilter(Is[str]):
    pass


@strawberry.input(description="A condition on roles: the user has this one, perhaps among others.")
class RoleFilter(Is[Role]):
    pass


@strawberry.input(description="Conditions on users; all that are given must hold.")
class UsersWhere:
    status: UserStatusFilter | None = optional("Where they are in their life.")
    email: EmailFilter | None = optional("Their e-mail address.")
    role: RoleFilter | None = optional("A role they have.")
    created_at: DateTimeFilter | None = optional("When they registered.")


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
