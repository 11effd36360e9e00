"""A user as looked up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.actor import Role
from domain.users.user import Status
from domain.users.values import Notice
from domain.value import Address
from projections.row import dataclass


@dataclass(frozen=True)
class AddressRow:
    id: UUID
    address: Address


@dataclass(frozen=True)
class ChangeRow:
    """What was decided about a user: when, what (the event type), by whom (as stored with the event), and why.

    `status` is the user's after it. `reason` is personal.
    """

    version: int
    at: datetime
    event: str
    actor: str
    status: Status
    role: Role | None = None
    reason: str | None = None


@dataclass(frozen=True)
class UserRow:
    """Columns of the table `users`. Personal, and null or empty once erased: `email`, `email_key` (the form in which
    spellings of an address are the same), the names, `words` (a tsvector of these), `avatar_url`, `bio`, `addresses`,
    `suspended_for`, and the reasons in the history.

    `blocked_at` is since when the user may not be let in.
    """

    id: UUID
    version: int
    updated_at: datetime
    status: Status
    email: str | None
    email_key: str | None
    display_name: str | None
    locale: str
    notices: tuple[Notice, ...]
    created_at: datetime
    roles: tuple[Role, ...] = (Role.CUSTOMER,)
    first_name: str | None = None
    last_name: str | None = None
    avatar_url: str | None = None
    bio: str | None = None
    words: str = ""
    addresses: tuple[AddressRow, ...] = ()
    default_address_id: UUID | None = None
    suspended_for: str | None = None
    blocked_at: datetime | None = None
    history: tuple[ChangeRow, ...] = ()


@dataclass(frozen=True)
class SignInsRow:
    """Columns of the table `sign_ins`; the id is that of the credentials. `failures`: since it last went well."""

    id: UUID
    version: int
    updated_at: datetime
    user_id: UUID
    sign_ins: int = 0
    last_sign_in: datetime | None = None
    locked_until: datetime | None = None
    failures: int = 0
    password_since: datetime | None = None
