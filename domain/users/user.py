"""A user: registered -> active <-> suspended -> erased. No personal value is ever part of the state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.errors import AlreadyExists
from domain.event import after, first
from domain.ids import ClaimId, UserId
from domain.lifecycle import require
from domain.users.errors import NoAdminAnyMore, OwnRole, RoleNotGrantable, TooManyAddresses, UnknownAddress
from domain.users.events import (
    AddressAdded,
    AddressChanged,
    AddressRemoved,
    DefaultAddressChosen,
    ErasureCompleted,
    ProfileChanged,
    RoleGranted,
    RoleRevoked,
    SettingsChanged,
    UserActivated,
    UserErased,
    UserEvent,
    UserRegistered,
    UserReinstated,
    UserSuspended,
)
from domain.users.values import Place, Profile, Settings
from domain.value import Address

MOST_ADDRESSES: Final = 20
GRANTABLE: Final = frozenset({Role.STAFF, Role.OPERATOR, Role.ADMIN})


class Status(Enum):
    REGISTERED = "registered"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASED = "erased"


HERE: Final = (Status.REGISTERED, Status.ACTIVE, Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class User:
    """`addresses` in the order they were added; the default is one of them, None while there is none.

    `receipt`: an erased user's data was cleared away everywhere.
    """

    id: UserId
    version: int
    status: Status
    email_claim: ClaimId
    settings: Settings
    roles: frozenset[Role] = frozenset({Role.CUSTOMER})
    addresses: tuple[UUID, ...] = ()
    default_address: UUID | None = None
    receipt: bool = False


def register(
    user: User | None,
    id: UserId,
    email: str,
    display_name: str,
    email_claim: ClaimId,
    settings: Settings,
    *,
    activated: bool,
    at: datetime,
) -> list[UserEvent]:
    """`activated`: the account needs no mail to confirm its address."""
    if user is not None:
        raise AlreadyExists("user", id)
    registered = UserRegistered(
        **first(id, at), email=email, display_name=display_name, email_claim=email_claim, settings=settings
    )
    if not activated:
        return [registered]
    return [registered, UserActivated(**after(evolve(None, registered), at))]


def activate(user: User, *, at: datetime) -> UserEvent | None:
    if user.status is Status.ACTIVE:
        return None
    require(user, Status.REGISTERED)
    return UserActivated(**after(user, at))


def change_profile(user: User, profile: Profile, *, at: datetime) -> UserEvent:
    require(user, Status.REGISTERED, Status.ACTIVE)
    return ProfileChanged(**after(user, at), profile=profile)


def change_settings(user: User, settings: Settings, *, at: datetime) -> UserEvent | None:
    require(user, Status.REGISTERED, Status.ACTIVE)
    return SettingsChanged(**after(user, at), settings=settings) if settings != user.settings else None


# --- the address book: its first address is the default until another is chosen ---------------------------------------


def add_address(user: User, address_id: UUID, address: Address, *, at: datetime) -> list[UserEvent]:
    require(user, Status.REGISTERED, Status.ACTIVE)
    if address_id in user.addresses:
        raise AlreadyExists("address", address_id)
    if len(user.addresses) >= MOST_ADDRESSES:
        raise TooManyAddresses(MOST_ADDRESSES)
    added = AddressAdded(**after(user, at), address_id=address_id, address=address)
    return [added] if user.addresses else [added, _chosen(evolve(user, added), address_id, at)]


def change_address(user: User, address_id: UUID, address: Address, *, at: datetime) -> UserEvent:
    _require_address(user, address_id)
    return AddressChanged(**after(user, at), address_id=address_id, address=address)


def remove_address(user: User, address_id: UUID, *, at: datetime) -> list[UserEvent]:
    """The oldest of those left takes the place of a default that goes."""
    _require_address(user, address_id)
    removed = AddressRemoved(**after(user, at), address_id=address_id)
    rest = evolve(user, removed)
    if user.default_address != address_id or not rest.addresses:
        return [removed]
    return [removed, _chosen(rest, rest.addresses[0], at)]


def choose_default_address(user: User, address_id: UUID, *, at: datetime) -> UserEvent | None:
    _require_address(user, address_id)
    return _chosen(user, address_id, at) if user.default_address != address_id else None


def _require_address(user: User, address_id: UUID) -> None:
    require(user, Status.REGISTERED, Status.ACTIVE)
    if address_id not in user.addresses:
        raise UnknownAddress(address_id)


def _chosen(user: User, address_id: UUID, at: datetime) -> UserEvent:
    return DefaultAddressChosen(**after(user, at), address_id=address_id)


# --- what the shop decides about a user -------------------------------------------------------------------------------


def grant(user: User, role: Role, by: Actor, reason: str | None = None, *, at: datetime) -> UserEvent | None:
    require(user, Status.ACTIVE)
    _require_grantable(role)
    if role in user.roles:
        return None
    return RoleGranted(**after(user, at), role=role, by=str(by), reason=reason)


def revoke(user: User, role: Role, by: Actor, reason: str | None = None, *, at: datetime) -> UserEvent | None:
    """Nobody takes a role from themselves, so that nobody locks the shop out by a slip."""
    require(user, Status.REGISTERED, Status.ACTIVE, Status.SUSPENDED)
    _require_grantable(role)
    if by.id == user.id:
        raise OwnRole(role)
    if role not in user.roles:
        return None
    return RoleRevoked(**after(user, at), role=role, by=str(by), reason=reason)


def require_admin_still(by: User) -> None:
    """Whose token says admin may have lost the role, or the account, since it was given out. Raises NoAdminAnyMore.

    With this and OwnRole the last admin cannot be taken away: who takes a role is an admin then, and stays one.
    """
    if by.status is not Status.ACTIVE or Role.ADMIN not in by.roles:
        raise NoAdminAnyMore


def _require_grantable(role: Role) -> None:
    if role not in GRANTABLE:
        raise RoleNotGrantable(role, GRANTABLE)


def require_own(user: User, by: Actor, *roles: Role) -> None:
    """Raises Forbidden unless they do it themselves or have one of the roles (by default operator or admin)."""
    if by.id != user.id:
        by.require(*(roles or (Role.OPERATOR, Role.ADMIN)))


def suspend(user: User, reason: str, by: Actor, *, at: datetime) -> UserEvent | None:
    """Customers, staff and operators; an admin only by another admin. Raises Forbidden."""
    if Role.ADMIN in user.roles:
        by.require(Role.ADMIN)
    if user.status is Status.SUSPENDED:
        return None
    require(user, Status.ACTIVE)
    return UserSuspended(**after(user, at), reason=reason, by=str(by))


def reinstate(user: User, reason: str, by: Actor, *, at: datetime) -> UserEvent | None:
    if user.status is Status.ACTIVE:
        return None
    require(user, Status.SUSPENDED)
    return UserReinstated(**after(user, at), reason=reason, by=str(by))


def erase(user: User, by: Actor, *, at: datetime) -> UserEvent | None:
    if user.status is Status.ERASED:
        return None
    require(user, *HERE)
    return UserErased(**after(user, at), by=str(by))


def complete_erasure(
    user: User, key_destroyed_at: datetime, places: tuple[Place, ...], *, at: datetime
) -> UserEvent | None:
    """The first receipt stands."""
    if user.receipt:
        return None
    require(user, Status.ERASED)
    return ErasureCompleted(**after(user, at), key_destroyed_at=key_destroyed_at, places=places)


# --- evolution --------------------------------------------------------------------------------------------------------


def evolve(user: User | None, event: UserEvent) -> User:
    if isinstance(event, UserRegistered):
        id = UserId(event.originator_id)
        return User(id, event.originator_version, Status.REGISTERED, event.email_claim, event.settings)
    assert user is not None
    return _evolved(replace(user, version=event.originator_version), event)


def _evolved(user: User, event: UserEvent) -> User:
    match event:
        case UserActivated() | UserReinstated():
            return replace(user, status=Status.ACTIVE)
        case UserSuspended():
            return replace(user, status=Status.SUSPENDED)
        case UserErased():
            return replace(user, status=Status.ERASED, addresses=(), default_address=None)
        case ErasureCompleted():
            return replace(user, receipt=True)
        case AddressAdded():
            return replace(user, addresses=(*user.addresses, event.address_id))
        case AddressRemoved():
            return _without_address(user, event.address_id)
        case DefaultAddressChosen():
            return replace(user, default_address=event.address_id)
        case SettingsChanged():
            return replace(user, settings=event.settings)
        case RoleGranted():
            return replace(user, roles=user.roles | {event.role})
        case RoleRevoked():
            return replace(user, roles=user.roles - {event.role})
        case _:
            return user  # only personal fields changed


def _without_address(user: User, address_id: UUID) -> User:
    rest = tuple(a for a in user.addresses if a != address_id)
    default = None if user.default_address == address_id else user.default_address
    return replace(user, addresses=rest, default_address=default)
