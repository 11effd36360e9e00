from __future__ import annotations

import pytest

from domain.actor import Role
from domain.errors import AlreadyExists, NotAllowedNow
from domain.ids import new_id
from domain.users import user
from domain.users.errors import OwnRole, RoleNotGrantable, TooManyAddresses, UnknownAddress
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
    UserErased,
    UserRegistered,
    UserReinstated,
    UserSuspended,
)
from domain.users.values import Means, Place, Profile, Settings
from tests.domain.users.samples import (
    ADDRESS,
    ADMIN,
    CLAIM,
    HANA,
    HERSELF,
    HOME,
    WORK,
    activated,
    of_user,
    registered,
)
from tests.specification import AT, a

given = of_user.given
suspended = a(UserSuspended, reason="spam", by="user:x")
home = a(AddressAdded, address_id=HOME, address=ADDRESS)
work = a(AddressAdded, address_id=WORK, address=ADDRESS)
PLACES = (Place(name="read model orders@1", means=Means.CLEARED, rows=3, cleared=2),)
receipt = a(ErasureCompleted, key_destroyed_at=AT, places=PLACES)
home_first = a(DefaultAddressChosen, address_id=HOME)


def test_registering_activates_at_once_when_no_mail_is_asked_for():
    given().when(user.register, HANA, "hana@example.org", "Hana", CLAIM, Settings(), activated=True).then(
        registered, activated
    )


def test_registering_waits_for_the_mail_when_one_is_asked_for():
    given().when(user.register, HANA, "hana@example.org", "Hana", CLAIM, Settings(), activated=False).then(
        UserRegistered
    )


def test_an_id_is_registered_once():
    given(registered).when(user.register, HANA, "x@y.zz", "Hana", CLAIM, Settings(), activated=True).refused(
        AlreadyExists
    )


def test_the_mailed_link_activates_and_does_nothing_the_second_time():
    given(registered).when(user.activate).then(activated)
    given(registered, activated).when(user.activate).then()


def test_the_profile_is_replaced_as_a_whole():
    profile = Profile(display_name="Hana I.", bio="Tea.")
    given(registered, activated).when(user.change_profile, profile).then(a(ProfileChanged, profile=profile))


def test_settings_that_are_what_they_were_change_nothing():
    given(registered, activated).when(user.change_settings, Settings()).then()
    given(registered, activated).when(user.change_settings, Settings(locale="ja")).then(SettingsChanged)


def test_the_first_address_is_the_default():
    given(registered, activated).when(user.add_address, HOME, ADDRESS).then(home, home_first)
    given(registered, activated, home, home_first).when(user.add_address, WORK, ADDRESS).then(work)


def test_removing_the_default_makes_the_oldest_left_the_default():
    given(registered, activated, home, home_first, work).when(user.remove_address, HOME).then(
        a(AddressRemoved, address_id=HOME), a(DefaultAddressChosen, address_id=WORK)
    )


def test_removing_the_last_address_leaves_no_default():
    left = given(registered, activated, home, home_first, a(AddressRemoved, address_id=HOME)).state
    assert (left.addresses, left.default_address) == ((), None)


def test_an_address_is_changed_and_chosen_by_its_id():
    book = given(registered, activated, home, home_first, work)
    book.when(user.change_address, WORK, ADDRESS).then(AddressChanged)
    book.when(user.choose_default_address, WORK).then(a(DefaultAddressChosen, address_id=WORK))
    book.when(user.choose_default_address, HOME).then()


@pytest.mark.parametrize("decision", [user.remove_address, user.choose_default_address])
def test_an_address_that_is_not_in_the_book_is_refused(decision):
    given(registered, activated).when(decision, HOME).refused(UnknownAddress)


def test_the_address_book_is_bounded():
    many = [a(AddressAdded, address_id=new_id(), address=ADDRESS) for _ in range(user.MOST_ADDRESSES)]
    given(registered, activated, *many).when(user.add_address, HOME, ADDRESS).refused(TooManyAddresses, maximum=20)


def test_a_role_is_granted_by_somebody_and_once():
    granted = a(RoleGranted, role=Role.STAFF, by=str(ADMIN))
    given(registered, activated).when(user.grant, Role.STAFF, ADMIN).then(granted)
    given(registered, activated, granted).when(user.grant, Role.STAFF, ADMIN).then()
    given(registered, activated, granted).when(user.revoke, Role.STAFF, ADMIN).then(RoleRevoked)


def test_granting_and_revoking_say_why():
    granted = a(RoleGranted, role=Role.STAFF, by=str(ADMIN), reason="new here")
    given(registered, activated).when(user.grant, Role.STAFF, ADMIN, "new here").then(granted)
    revoked = a(RoleRevoked, role=Role.STAFF, by=str(ADMIN), reason="gone")
    given(registered, activated, granted).when(user.revoke, Role.STAFF, ADMIN, "gone").then(revoked)


@pytest.mark.parametrize("role", [Role.SERVICE, Role.CUSTOMER])
def test_nobody_is_made_a_service(role):
    given(registered, activated).when(user.grant, role, ADMIN).refused(RoleNotGrantable)


def test_nobody_takes_a_role_from_themselves():
    granted = a(RoleGranted, role=Role.ADMIN, by=str(ADMIN))
    given(registered, activated, granted).when(user.revoke, Role.ADMIN, HERSELF).refused(OwnRole)


def test_suspending_and_reinstating_say_why_and_by_whom():
    given(registered, activated).when(user.suspend, "spam", ADMIN).then(a(UserSuspended, reason="spam", by=str(ADMIN)))
    given(registered, activated, suspended).when(user.suspend, "spam", ADMIN).then()
    given(registered, activated, suspended).when(user.reinstate, "a mistake", ADMIN).then(UserReinstated)
    given(registered, activated).when(user.reinstate, "a mistake", ADMIN).then()


def test_erasing_twice_changes_nothing():
    given(registered, activated).when(user.erase, HERSELF).then(a(UserErased, by=str(HERSELF)))
    given(registered, activated, a(UserErased, by="x")).when(user.erase, HERSELF).then()


def test_an_erased_user_gets_one_receipt():
    erased = a(UserErased, by="x")
    given(registered, erased).when(user.complete_erasure, AT, PLACES).then(receipt)
    given(registered, erased, receipt).when(user.complete_erasure, AT, ()).then()


def test_nobody_else_gets_a_receipt():
    given(registered, activated).when(user.complete_erasure, AT, PLACES).refused(NotAllowedNow)


# --- every status and every decision ----------------------------------------------------------------------------------

HISTORIES = {
    user.Status.REGISTERED: (registered, home),
    user.Status.ACTIVE: (registered, home, activated),
    user.Status.SUSPENDED: (registered, home, activated, suspended),
    user.Status.ERASED: (registered, home, activated, a(UserErased, by="x")),
}
REGISTERED, ACTIVE, SUSPENDED, ERASED = user.Status

ALLOWED = {
    "activate": (lambda s: user.activate(s, at=AT), {REGISTERED, ACTIVE}),
    "profile": (lambda s: user.change_profile(s, Profile(display_name="Hana"), at=AT), {REGISTERED, ACTIVE}),
    "settings": (lambda s: user.change_settings(s, Settings(locale="ja"), at=AT), {REGISTERED, ACTIVE}),
    "add address": (lambda s: user.add_address(s, WORK, ADDRESS, at=AT), {REGISTERED, ACTIVE}),
    "change address": (lambda s: user.change_address(s, HOME, ADDRESS, at=AT), {REGISTERED, ACTIVE}),
    "remove address": (lambda s: user.remove_address(s, HOME, at=AT), {REGISTERED, ACTIVE}),
    "default address": (lambda s: user.choose_default_address(s, HOME, at=AT), {REGISTERED, ACTIVE}),
    "grant": (lambda s: user.grant(s, Role.STAFF, ADMIN, at=AT), {ACTIVE}),
    "revoke": (lambda s: user.revoke(s, Role.STAFF, ADMIN, at=AT), {REGISTERED, ACTIVE, SUSPENDED}),
    "suspend": (lambda s: user.suspend(s, "why", ADMIN, at=AT), {ACTIVE, SUSPENDED}),
    "reinstate": (lambda s: user.reinstate(s, "why", ADMIN, at=AT), {ACTIVE, SUSPENDED}),
    "erase": (lambda s: user.erase(s, ADMIN, at=AT), {REGISTERED, ACTIVE, SUSPENDED, ERASED}),
}


@pytest.mark.parametrize("status", user.Status)
@pytest.mark.parametrize("decision", ALLOWED)
def test_every_decision_is_taken_or_refused_as_the_status_says(decision, status):
    decide, allowed = ALLOWED[decision]
    state = given(*HISTORIES[status]).state
    assert state.status is status
    if status in allowed:
        decide(state)
    else:
        with pytest.raises(NotAllowedNow):
            decide(state)


def test_the_state_holds_nothing_personal():
    state = given(
        registered, activated, home, a(ProfileChanged, profile=Profile(display_name="Hana", bio="Tea."))
    ).state
    shown = repr(state)
    assert not any(word in shown for word in ("hana", "Hana", "Tea", "Sakura"))
