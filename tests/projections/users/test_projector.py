"""What a row of the read model says after a history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.actor import Role
from domain.event import ERASED
from domain.users.credentials import credentials_id
from domain.users.events import (
    AddressAdded,
    AddressChanged,
    AddressRemoved,
    DefaultAddressChosen,
    EmailClaimed,
    LockedOut,
    PasswordChanged,
    PasswordReset,
    ProfileChanged,
    RoleGranted,
    RoleRevoked,
    SettingsChanged,
    SignedIn,
    SignInFailed,
    UserErased,
    UserRegistered,
    UserReinstated,
    UserSuspended,
)
from domain.users.user import Status
from domain.users.values import Notice, Profile, Settings
from projections.model import Projector
from projections.users.projector import sign_ins, users
from projections.users.row import AddressRow, UserRow
from projections.words import vector
from tests.domain.users.samples import ADDRESS, CLAIM, HANA, HOME, WORK, activated, password_set, registered
from tests.projections.fakes import recorded
from tests.specification import AT, Make, a

home = a(AddressAdded, address_id=HOME, address=ADDRESS)
suspended = a(UserSuspended, reason="spam", by="user:x")


def row_of(projector: Projector[Any], *history: Make) -> Any:
    row = None
    for version, make in enumerate(history, 1):
        row = projector.apply(row, recorded(make(HANA, version), version))
    return row


def user(*history: Make) -> UserRow:
    row: UserRow = row_of(users, registered, activated, *history)
    return row


def test_an_account_is_found_by_any_spelling_of_its_address() -> None:
    shouting = a(UserRegistered, email="HANA@Example.org", display_name="Hana", email_claim=CLAIM, settings=Settings())
    row: UserRow = row_of(users, shouting)
    assert (row.email, row.email_key, row.status) == ("HANA@Example.org", "hana@example.org", Status.REGISTERED)


def test_the_profile_replaces_what_was_there() -> None:
    row = user(a(ProfileChanged, profile=Profile(display_name="Hana I.", bio="Tea.")))
    assert (row.display_name, row.first_name, row.bio, row.version) == ("Hana I.", None, "Tea.", 3)


def test_settings() -> None:
    row = user(a(SettingsChanged, settings=Settings(locale="ja", notices=(Notice.OFFERS,))))
    assert (row.locale, row.notices) == ("ja", (Notice.OFFERS,))


def test_the_address_book() -> None:
    moved = ADDRESS.model_copy(update={"city": "Kyoto"})
    row = user(
        home,
        a(DefaultAddressChosen, address_id=HOME),
        a(AddressAdded, address_id=WORK, address=ADDRESS),
        a(AddressChanged, address_id=HOME, address=moved),
        a(AddressRemoved, address_id=WORK),
    )
    assert (row.addresses, row.default_address_id) == ((AddressRow(HOME, moved),), HOME)


def test_removing_the_default_address_leaves_none_until_another_is_chosen() -> None:
    row = user(home, a(DefaultAddressChosen, address_id=HOME), a(AddressRemoved, address_id=HOME))
    assert (row.addresses, row.default_address_id) == ((), None)


def test_roles() -> None:
    granted = a(RoleGranted, role=Role.ADMIN, by="user:x")
    assert user(granted).roles == (Role.ADMIN, Role.CUSTOMER)
    assert user(granted, a(RoleRevoked, role=Role.ADMIN, by="user:x")).roles == (Role.CUSTOMER,)


def test_a_suspended_user_is_blocked_until_reinstated() -> None:
    row = user(suspended)
    assert (row.status, row.suspended_for, row.blocked_at) == (Status.SUSPENDED, "spam", AT)
    row = user(suspended, a(UserReinstated, reason="a mistake", by="user:x"))
    assert (row.status, row.suspended_for, row.blocked_at) == (Status.ACTIVE, None, None)


def test_a_user_is_searched_by_names_and_address() -> None:
    assert user().words == vector(("Hana", "A"), ("hana", "B"))
    renamed = user(a(ProfileChanged, profile=Profile(display_name="Hana I.", first_name="花", last_name="伊藤")))
    assert renamed.words == vector(("Hana I.", "A"), ("花", "A"), ("伊藤", "A"), ("hana", "B"))


def test_what_was_decided_about_a_user_is_kept_with_who_did_it_and_why() -> None:
    row = user(
        a(RoleGranted, role=Role.STAFF, by="user:x"),
        a(SettingsChanged, settings=Settings(locale="ja")),
        suspended,
        a(UserReinstated, reason="a mistake", by="user:x"),
    )
    assert [(c.version, c.event, c.status, c.role, c.reason) for c in row.history] == [
        (1, "users.user-registered", Status.REGISTERED, None, None),
        (2, "users.user-activated", Status.ACTIVE, None, None),
        (3, "users.role-granted", Status.ACTIVE, Role.STAFF, None),
        (5, "users.user-suspended", Status.SUSPENDED, None, "spam"),
        (6, "users.user-reinstated", Status.ACTIVE, None, "a mistake"),
    ]
    assert {(c.at, c.actor) for c in row.history} == {(AT, "anonymous")}


PERSONAL = (a(ProfileChanged, profile=Profile(display_name="Hana", first_name="Hana", bio="Tea.")), home, suspended)
gone = a(UserErased, by="user:x")


def test_an_erased_user_leaves_nothing_personal_in_the_row() -> None:
    text = repr(user(*PERSONAL, gone)).lower()
    assert not any(word in text for word in ("hana", "tea", "sakura", "spam"))


def test_it_makes_no_difference_whether_the_key_was_there_when_the_row_was_folded() -> None:
    unread = (
        a(UserRegistered, email=ERASED, display_name=ERASED, email_claim=CLAIM, settings=Settings()),
        activated,
        a(ProfileChanged, profile=ERASED),
        a(AddressAdded, address_id=HOME, address=ERASED),
        a(UserSuspended, reason=ERASED, by="user:x"),
        gone,
    )
    assert row_of(users, *unread) == user(*PERSONAL, gone)


def test_sign_ins_are_counted_in_a_row_of_their_own() -> None:
    at = AT + timedelta(days=1)
    signed_in = a(SignedIn, at=at, session_id=HOME, token_hash="t", expires_at=at)
    locked = a(LockedOut, until=at)
    row = row_of(sign_ins, password_set, a(SignInFailed), locked)
    assert (row.user_id, row.sign_ins, row.locked_until, row.version) == (HANA, 0, at, 3)
    row = row_of(sign_ins, password_set, locked, signed_in, signed_in)
    assert (row.sign_ins, row.last_sign_in, row.locked_until) == (2, at, None)


def test_failures_are_counted_until_it_goes_well() -> None:
    failed = a(SignInFailed)
    assert row_of(sign_ins, password_set, failed, failed).failures == 2
    signed_in = a(SignedIn, session_id=HOME, token_hash="t", expires_at=AT)
    assert row_of(sign_ins, password_set, failed, signed_in).failures == 0


def test_a_password_says_since_when_it_is_used() -> None:
    later = AT + timedelta(days=1)
    assert row_of(sign_ins, password_set).password_since == AT
    for event in (PasswordChanged, PasswordReset):
        changed = a(event, at=later, user_id=HANA, password_hash="h")
        assert row_of(sign_ins, password_set, changed).password_since == later


def test_a_claim_touches_no_row() -> None:
    claimed = a(EmailClaimed, holder=HANA)(CLAIM, 1)
    assert users.key_of(claimed) is None
    assert sign_ins.key_of(password_set(credentials_id(HANA), 1)) == credentials_id(HANA)
