"""Who may do what: scope -> roles. What is not in this table may be done by nobody."""

from __future__ import annotations

from typing import Final

from domain.actor import Actor, Role

Who = frozenset[Role | None]
"""Roles; None stands for somebody who is not signed in."""


def _and_services(*roles: Role | None) -> Who:
    return frozenset({*roles, Role.SERVICE})


ANYBODY: Final = _and_services(None, *Role)
SIGNED_IN: Final = _and_services(*Role)
STAFF: Final = _and_services(Role.STAFF, Role.OPERATOR, Role.ADMIN)
OPERATORS: Final = _and_services(Role.OPERATOR, Role.ADMIN)
ADMINS: Final = _and_services(Role.ADMIN)
SERVICES: Final = _and_services()

# A customer's scopes cover their own things only: that is for the handler to see to (`may_touch`).
SCOPES: Final[dict[str, Who]] = {
    # users
    "users:register": ANYBODY,
    "users:look": SIGNED_IN,
    "users:edit": SIGNED_IN,
    "users:roles": ADMINS,
    "users:suspend": OPERATORS,
    "users:erase": SIGNED_IN,  # oneself; of others: admins
    "sessions:open": ANYBODY,
    "sessions:refresh": ANYBODY,
    "sessions:close": ANYBODY,
    "users:activate": ANYBODY,
    "credentials:change": SIGNED_IN,
    "credentials:reset": ANYBODY,
    # products
    "catalogue:look": ANYBODY,
    "catalogue:edit": STAFF,
    "stock:look": STAFF,
    "stock:move": STAFF,
    "reservations:look": STAFF,
    "reservations:hold": STAFF,
    # orders and payments
    "quotes:ask": ANYBODY,
    "orders:look": SIGNED_IN,
    "orders:draft": SIGNED_IN,
    "orders:place": SIGNED_IN,
    "orders:cancel": SIGNED_IN,
    "orders:return": SIGNED_IN,
    "orders:ship": STAFF,
    "orders:process": OPERATORS,  # what sagas do; operators too, until there are sagas
    "payments:look": SIGNED_IN,
    "payments:process": OPERATORS,
    # sagas
    "sagas:look": STAFF,
    "sagas:act": OPERATORS,
    "payments:refund": STAFF,
    # notifications
    "notifications:request": SERVICES,
    "notifications:look": SIGNED_IN,
    "notifications:read": SIGNED_IN,
    # operations
    "operations:look": STAFF,
    "parked:act": OPERATORS,
    "replays:act": OPERATORS,
    "personal:show": OPERATORS,
}

NOT_SIGNED_IN: Final = frozenset({None})
NOBODY: Final[Who] = frozenset()


def may(actor: Actor, scope: str) -> bool:
    return not SCOPES.get(scope, NOBODY).isdisjoint(actor.roles or NOT_SIGNED_IN)


def open_to_anybody(scope: str) -> bool:
    return None in SCOPES.get(scope, NOBODY)
