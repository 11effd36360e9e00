"""Who acts: a signed-in user, another process of ours, or nobody yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import Forbidden


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"  # looks, and looks after the catalogue and the orders
    OPERATOR = "operator"  # acts on what went wrong
    ADMIN = "admin"  # grants roles, acts in bulk
    SERVICE = "service"  # a process of ours


IN_CHARGE: Final = frozenset({Role.STAFF, Role.OPERATOR, Role.ADMIN, Role.SERVICE})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `id` is the user's id; None for services and for those who are not signed in."""

    id: UUID | None
    roles: frozenset[Role]
    name: str = ""  # a service's name

    def __str__(self) -> str:
        """As stored with every event: `user:<id>`, `service:<name>` or `anonymous`."""
        if self.id:
            return f"user:{self.id}"
        return f"service:{self.name}" if Role.SERVICE in self.roles else "anonymous"

    @property
    def in_charge(self) -> bool:
        """Whether this is somebody of the shop rather than a customer."""
        return not self.roles.isdisjoint(IN_CHARGE)

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def require(self, *roles: Role) -> None:
        """Raises Forbidden unless the actor has one of the roles. A service has them all."""
        if Role.SERVICE not in self.roles and not self.has(*roles):
            raise Forbidden(f"this needs the role {' or '.join(roles)}", allowed=[str(r) for r in roles])

    def may_touch(self, owner: UUID) -> bool:
        return self.in_charge or self.id == owner


ANONYMOUS: Final = Actor(None, frozenset())


def user_of(actor: str) -> UUID | None:
    """Of an actor as it is stored: whose id it is, None if it is no user's."""
    kind, _, id = actor.partition(":")
    try:
        return UUID(id) if kind == "user" else None
    except ValueError:
        return None


def service(name: str) -> Actor:
    return Actor(None, frozenset({Role.SERVICE}), name)
