"""What could be done to a user, by themselves or by those who look after them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.ids import ClaimId, UserId, new_id
from domain.users import user as users
from domain.users.user import GRANTABLE, Status, User
from domain.users.values import Profile, Settings
from domain.value import Address
from projections.users.row import UserRow
from read_api.actions.judging import Way

SAID: Final = "none"
SOMEWHERE: Final = Address(name=SAID, line1=SAID, postal_code=SAID, city=SAID, country="DE")
UNKNOWN: Final = ClaimId(UUID(int=0))


def user_of(row: UserRow) -> User:
    """The aggregate, as far as its decisions look at it."""
    settings = Settings() if row.status is Status.ERASED else Settings(locale=row.locale, notices=row.notices)
    return User(
        UserId(row.id),
        row.version,
        row.status,
        UNKNOWN,
        settings,
        frozenset(row.roles),
        tuple(entry.id for entry in row.addresses),
        row.default_address_id,
    )


def change_profile(user: User, by: Actor, at: datetime) -> Any:
    users.require_own(user, by)
    return users.change_profile(user, Profile(display_name=SAID), at=at)


def change_settings(user: User, by: Actor, at: datetime) -> Any:
    users.require_own(user, by)
    other = user.settings.model_copy(update={"notices": () if user.settings.notices else Settings().notices})
    return users.change_settings(user, other, at=at)


def add_address(user: User, by: Actor, at: datetime) -> Any:
    users.require_own(user, by)
    return users.add_address(user, new_id(), SOMEWHERE, at=at)


def grant(user: User, by: Actor, at: datetime) -> Any:
    """A role they do not have, if there is one."""
    return users.grant(user, a_role(GRANTABLE - user.roles), by, at=at)


def revoke(user: User, by: Actor, at: datetime) -> Any:
    """A role they have, if there is one."""
    return users.revoke(user, a_role(GRANTABLE & user.roles), by, at=at)


def a_role(roles: frozenset[Role]) -> Role:
    return min(roles, default=Role.STAFF)


def erase(user: User, by: Actor, at: datetime) -> Any:
    users.require_own(user, by, Role.ADMIN)
    return users.erase(user, by, at=at)


WAYS: Final[tuple[Way[User], ...]] = (
    Way("/v1/users/{id}/change-profile", change_profile),
    Way("/v1/users/{id}/change-settings", change_settings),
    Way("/v1/users/{id}/add-address", add_address),
    Way("/v1/users/{id}/suspend", lambda user, by, at: users.suspend(user, SAID, by, at=at)),
    Way("/v1/users/{id}/reinstate", lambda user, by, at: users.reinstate(user, SAID, by, at=at)),
    Way("/v1/users/{id}/grant-role", grant),
    Way("/v1/users/{id}/revoke-role", revoke),
    Way("/v1/users/{id}/erase", erase),
)
