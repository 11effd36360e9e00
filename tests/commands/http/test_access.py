"""Scopes are closed by default, and every route has one."""

from __future__ import annotations

import pytest

from commands.access import SCOPES, may, open_to_anybody
from domain.actor import ANONYMOUS, Actor, Role, service
from domain.ids import new_id


def user(*roles: Role) -> Actor:
    return Actor(new_id(), frozenset(roles))


def test_a_scope_that_is_not_in_the_table_is_closed_to_everybody():
    assert not may(user(*Role), "nothing:known")
    assert not open_to_anybody("nothing:known")


def test_somebody_who_is_not_signed_in_may_only_what_is_open_to_anybody():
    assert may(ANONYMOUS, "users:register")
    assert not may(ANONYMOUS, "orders:place")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_service_may_do_everything(scope: str):
    assert may(service("checkout"), scope)


def test_customers_do_not_touch_the_catalogue_and_staff_do_not_grant_roles():
    assert not may(user(Role.CUSTOMER), "catalogue:edit")
    assert may(user(Role.STAFF), "catalogue:edit")
    assert not may(user(Role.STAFF), "users:roles")
    assert may(user(Role.ADMIN), "users:roles")
