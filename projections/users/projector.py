"""Users as they are looked up: one small function per event type."""

from __future__ import annotations

from typing import Final

from domain.event import Erased
from domain.users.events import (
    AddressAdded,
    AddressChanged,
    AddressRemoved,
    CredentialsEvent,
    DefaultAddressChosen,
    LockedOut,
    PasswordChanged,
    PasswordReset,
    PasswordSet,
    ProfileChanged,
    RoleGranted,
    RoleRevoked,
    SettingsChanged,
    SignedIn,
    SignInFailed,
    UserActivated,
    UserErased,
    UserEvent,
    UserRegistered,
    UserReinstated,
    UserSuspended,
)
from domain.users.user import Status
from domain.users.values import Profile, normalised
from projections.feed import Recorded
from projections.model import Model, Projector, known, opened
from projections.personal import Personal
from projections.row import replace
from projections.users.role_changes import PERSONAL, role_changes
from projections.users.row import AddressRow, ChangeRow, SignInsRow, UserRow
from projections.words import vector

users = Projector("users", UserRow, UserEvent)
sign_ins = Projector("sign_ins", SignInsRow, CredentialsEvent)


def cleared(row: UserRow) -> UserRow:
    """Without what is personal."""
    history = tuple(replace(change, reason=None) for change in row.history)
    return replace(
        with_profile(row, None), email=None, email_key=None, words="", addresses=(), suspended_for=None, history=history
    )


USERS = Model(
    "users",
    contexts=("users",),
    projectors=(users, sign_ins, role_changes),
    personal=(Personal(users.table, "id", cleared), PERSONAL),
)


@users.opens(UserRegistered)
def registered(event: UserRegistered) -> UserRow:
    email = known(event.email)
    row = UserRow(
        **opened(event),
        status=Status.REGISTERED,
        email=email,
        email_key=normalised(email) if email else None,
        display_name=known(event.display_name),
        locale=event.settings.locale,
        notices=event.settings.notices,
        created_at=event.timestamp,
    )
    return replace(row, words=words_of(row))


@users.on(UserActivated)
def activated(row: UserRow, event: UserActivated) -> UserRow:
    return replace(row, status=Status.ACTIVE)


@users.on(ProfileChanged)
def profile_changed(row: UserRow, event: ProfileChanged) -> UserRow:
    return with_profile(row, known(event.profile))


@users.on(SettingsChanged)
def settings_changed(row: UserRow, event: SettingsChanged) -> UserRow:
    return replace(row, locale=event.settings.locale, notices=event.settings.notices)


@users.on(AddressAdded)
def address_added(row: UserRow, event: AddressAdded) -> UserRow:
    if isinstance(event.address, Erased):
        return row
    return replace(row, addresses=(*row.addresses, AddressRow(event.address_id, event.address)))


@users.on(AddressChanged)
def address_changed(row: UserRow, event: AddressChanged) -> UserRow:
    if isinstance(event.address, Erased):
        return row
    new = AddressRow(event.address_id, event.address)
    return replace(row, addresses=tuple(new if a.id == new.id else a for a in row.addresses))


@users.on(AddressRemoved)
def address_removed(row: UserRow, event: AddressRemoved) -> UserRow:
    rest = tuple(a for a in row.addresses if a.id != event.address_id)
    default = None if row.default_address_id == event.address_id else row.default_address_id
    return replace(row, addresses=rest, default_address_id=default)


@users.on(DefaultAddressChosen)
def default_address_chosen(row: UserRow, event: DefaultAddressChosen) -> UserRow:
    return replace(row, default_address_id=event.address_id)


@users.on(RoleGranted)
def role_granted(row: UserRow, event: RoleGranted) -> UserRow:
    return replace(row, roles=tuple(sorted({*row.roles, event.role})))


@users.on(RoleRevoked)
def role_revoked(row: UserRow, event: RoleRevoked) -> UserRow:
    return replace(row, roles=tuple(role for role in row.roles if role != event.role))


@users.on(UserSuspended)
def suspended(row: UserRow, event: UserSuspended) -> UserRow:
    return replace(row, status=Status.SUSPENDED, suspended_for=known(event.reason), blocked_at=event.timestamp)


@users.on(UserReinstated)
def reinstated(row: UserRow, event: UserReinstated) -> UserRow:
    return replace(row, status=Status.ACTIVE, suspended_for=None, blocked_at=None)


@users.on(UserErased)
def erased(row: UserRow, event: UserErased) -> UserRow:
    """Nothing personal is left in the row, whatever of it could still be read when it was folded."""
    return replace(cleared(row), status=Status.ERASED, default_address_id=None, blocked_at=event.timestamp)


@sign_ins.opens(PasswordSet)
def password_set(event: PasswordSet) -> SignInsRow:
    return SignInsRow(**opened(event), user_id=event.user_id, password_since=event.timestamp)


@sign_ins.on(SignedIn)
def signed_in(row: SignInsRow, event: SignedIn) -> SignInsRow:
    return replace(row, sign_ins=row.sign_ins + 1, last_sign_in=event.timestamp, failures=0, locked_until=None)


@sign_ins.on(SignInFailed)
def sign_in_failed(row: SignInsRow, event: SignInFailed) -> SignInsRow:
    return replace(row, failures=row.failures + 1)


@sign_ins.on(PasswordChanged)
def password_changed(row: SignInsRow, event: PasswordChanged) -> SignInsRow:
    return replace(row, password_since=event.timestamp)


@sign_ins.on(LockedOut)
def locked_out(row: SignInsRow, event: LockedOut) -> SignInsRow:
    return replace(row, locked_until=event.until)


@sign_ins.on(PasswordReset)
def password_reset(row: SignInsRow, event: PasswordReset) -> SignInsRow:
    return replace(row, password_since=event.timestamp, failures=0, locked_until=None)


def with_profile(row: UserRow, profile: Profile | None) -> UserRow:
    """The columns are named as the profile's fields."""
    fields = profile.model_dump() if profile else dict.fromkeys(Profile.model_fields)
    row = replace(row, **fields)
    return replace(row, words=words_of(row))


def words_of(row: UserRow) -> str:
    """The names, and the address up to the @: what comes behind it half of all users may have in common."""
    names = (row.display_name, row.first_name, row.last_name)
    local = (row.email or "").rpartition("@")[0]
    return vector(*((name, "A") for name in names if name), (local, "B"))


@users.every
def in_the_history(row: UserRow, recorded: Recorded) -> UserRow:
    event = recorded.event
    if not isinstance(event, DECISIONS):
        return row
    change = ChangeRow(
        event.originator_version,
        event.timestamp,
        event.TOPIC,
        recorded.actor,
        row.status,
        event.role if isinstance(event, RoleGranted | RoleRevoked) else None,
        known(event.reason) if isinstance(event, WITH_REASON) else None,
    )
    return replace(row, history=(*row.history, change))


DECISIONS: Final = (
    UserRegistered,
    UserActivated,
    RoleGranted,
    RoleRevoked,
    UserSuspended,
    UserReinstated,
    UserErased,
)
"""What the shop looks back at. What users change of themselves is not kept."""
WITH_REASON: Final = (RoleGranted, RoleRevoked, UserSuspended, UserReinstated)
