"""The words of a user, and what they mean."""

from __future__ import annotations

from domain.actor import Role
from domain.users.user import Status
from domain.users.values import Notice
from read_api.described import described

__all__ = ["Notice", "Role", "Status"]

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
