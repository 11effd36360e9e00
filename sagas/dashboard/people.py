"""One account: what was decided about it, and which roles may be granted to it or revoked, by whom and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain import users as accounts
from domain.actor import Actor, Role
from domain.errors import DomainError
from domain.event import Erased
from domain.users import user as rules
from domain.users.events import (
    RoleGranted,
    RoleRevoked,
    UserActivated,
    UserErased,
    UserEvent,
    UserRegistered,
    UserReinstated,
    UserSuspended,
)
from domain.users.user import GRANTABLE, Status, User
from projections.feed import Recorded, Unreadable
from projections.users.row import UserRow
from sagas.dashboard.desk import Desk

ROLES: Final = "users:roles"
TYPED: Final = frozenset({Role.OPERATOR, Role.ADMIN})
"""What these may do cannot be taken back, so that their name has to be typed."""

MEANINGS: Final = {
    Role.STAFF: "Looks at everything here; looks after the catalogue and the orders.",
    Role.OPERATOR: "Acts on what went wrong: sagas, parked events, read models; opens personal fields.",
    Role.ADMIN: "Grants and revokes roles, and acts in bulk.",
}

DECISIONS: Final[dict[type[Any], tuple[str, str]]] = {
    UserRegistered: ("registered", "quiet"),
    UserActivated: ("activated", "good"),
    RoleGranted: ("granted", "good"),
    RoleRevoked: ("revoked", "back"),
    UserSuspended: ("suspended", "bad"),
    UserReinstated: ("reinstated", "good"),
    UserErased: ("erased", "bad"),
}
TONES: Final = {
    Status.REGISTERED: "wait",
    Status.ACTIVE: "good",
    Status.SUSPENDED: "bad",
    Status.ERASED: "quiet",
}
READ_ONLY: Final = "it takes an admin"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about an account, by whom (as stored with the event) and why, where that can be read."""

    version: int
    at: datetime
    word: str
    tone: str
    role: Role | None
    actor: str
    by: UUID | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role, since when and by whose decision somebody has it, and what can be done about it.

    `why_not` says what it would take to do what `verb` says; None if it can be done.
    """

    role: Role
    meaning: str
    had: Decision | None
    verb: str
    why_not: str | None
    typed: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody has, as a list tells it."""

    role: Role
    at: datetime
    actor: str
    by: UUID | None


def held(row: UserRow) -> list[Held]:
    granted = {c.role: c for c in row.history if c.role in row.roles and c.event == RoleGranted.TOPIC}
    return [Held(role, c.at, c.actor, user_of(c.actor)) for role in MEANINGS if (c := granted.get(role))]


@dataclass(frozen=True, slots=True)
class Account:
    user: User
    decisions: Sequence[Decision]


class CannotBeTold(Exception):
    """Something was decided about an account that this release cannot read, so that its roles are not known."""


async def account(desk: Desk, id: UUID, *, opened: bool) -> Account | None:
    """From the log, so that what was just decided is there. `opened`: with the reasons that were given.

    Raises CannotBeTold.
    """
    log = (desk.opened if opened else desk.sealed)[accounts.CONTEXT.name]
    recorded = await log.stream(id)
    for event in (each.event for each in recorded):
        if isinstance(event, Unreadable):
            raise CannotBeTold(f"version {event.originator_version} of its log cannot be read: {event.reason}")
    mine = [each for each in recorded if isinstance(each.event, UserEvent)]
    if not mine:
        return None
    return Account(accounts.CONTEXT.fold(None, [each.event for each in mine]), decisions(mine))


def decisions(recorded: Sequence[Recorded]) -> list[Decision]:
    return [decision(each) for each in recorded if type(each.event) in DECISIONS]


def decision(recorded: Recorded) -> Decision:
    event: Any = recorded.event
    word, tone = DECISIONS[type(event)]
    reason = getattr(event, "reason", None)
    return Decision(
        event.originator_version,
        event.timestamp,
        word,
        tone,
        getattr(event, "role", None),
        recorded.actor,
        user_of(recorded.actor),
        None if isinstance(reason, Erased) else reason,
    )


def user_of(actor: str) -> UUID | None:
    """Of an actor as it is stored with an event; None for a service."""
    kind, _, id = actor.partition(":")
    return UUID(id) if kind == "user" else None


def role_lines(found: Account, by: Actor, at: datetime, *, may: bool) -> list[RoleLine]:
    return [role_line(found, role, by, at, may=may) for role in MEANINGS]


def role_line(found: Account, role: Role, by: Actor, at: datetime, *, may: bool) -> RoleLine:
    has = role in found.user.roles
    had = next((d for d in reversed(found.decisions) if has and d.role is role and d.word == "granted"), None)
    verb = "revoke" if has else "grant"
    why_not = refusal(found.user, role, verb, by, at) if may else READ_ONLY
    return RoleLine(role, MEANINGS[role], had, verb, why_not, role in TYPED)


def refusal(user: User, role: Role, verb: str, by: Actor, at: datetime) -> str | None:
    """By the very rules that will decide."""
    try:
        (rules.revoke if verb == "revoke" else rules.grant)(user, role, by, at=at)
    except DomainError as error:
        return error.detail
    return None


assert frozenset(MEANINGS) == GRANTABLE
