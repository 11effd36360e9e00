"""Which users are listed, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

import strawberry

from domain.users.values import normalised
from projections.listing import Condition, Ordering
from projections.words import query
from read_api.described import described
from read_api.errors import InvalidFilter
from read_api.filters import DateTimeFilter, Is, OneOf, conditions, optional
from read_api.users.enums import Role, Status

MAX_TEXT: Final = 200


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


@strawberry.input(description="A condition on the words of something.")
class WordsFilter:
    all: str | None = optional("All of these are in it, or longer ones that begin with them; 200 characters at most.")


@strawberry.input(description="Conditions on users; all that are given must hold.")
class UsersWhere:
    status: UserStatusFilter | None = optional("Where they are in their life.")
    email: EmailFilter | None = optional("Their e-mail address.")
    role: RoleFilter | None = optional("A role they have.")
    words: WordsFilter | None = optional("Words of their names, and of their e-mail address before the @.")
    created_at: DateTimeFilter | None = optional("When they registered.")


def columns(where: UsersWhere | None) -> Iterator[Condition]:
    """The conditions, on the columns that answer them. Raises InvalidFilter."""
    for condition in conditions(where):
        match condition.column:
            case "email":
                yield Condition("email_key", condition.operator, email_key(condition.value))
            case "role":
                yield Condition("roles", "has", condition.value)
            case "words":
                yield Condition("words", "words", some_words(condition.value))
            case _:
                yield condition


def some_words(text: str) -> str:
    """Raises InvalidFilter."""
    if len(text) > MAX_TEXT:
        raise InvalidFilter(
            "words.all", f"has {len(text)} characters, at most {MAX_TEXT} are allowed", maximum=MAX_TEXT
        )
    if query(text) is None:
        raise InvalidFilter("words.all", "has no word in it")
    return text


def email_key(email: str) -> str:
    try:
        return normalised(email)
    except ValueError:
        raise InvalidFilter("email.eq", "is no e-mail address") from None
