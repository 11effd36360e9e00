"""Credentials: a password, and the sessions it opened. A stream of its own: signing in never disturbs the profile.

This is what they are; what may be done with them stands in `passwords.py` and `sessions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from domain.event import Erased, after
from domain.ids import CredentialsId, UserId, derive
from domain.users.events import (
    AllSessionsEnded,
    CredentialsClosed,
    CredentialsEvent,
    LockedOut,
    PasswordChanged,
    PasswordReset,
    PasswordResetAsked,
    PasswordSet,
    SessionEnded,
    SessionRefreshed,
    SignedIn,
    SignInFailed,
)


class Status(Enum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Policy:
    failures: int = 5  # in a row, before the account is locked
    locked_for: timedelta = timedelta(minutes=15)
    sessions: int = 10  # at a time; the oldest goes for the next
    session_lasts: timedelta = timedelta(days=30)  # from its last refresh
    reset_lasts: timedelta = timedelta(hours=1)
    reset_pause: timedelta = timedelta(minutes=1)  # between two mails with a link, so that nobody floods a mailbox


DEFAULT_POLICY: Final = Policy()


@dataclass(frozen=True, slots=True)
class Session:
    """`token_hash` is of the one refresh token that is good."""

    id: UUID
    token_hash: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reset:
    token_hash: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """`password_hash` is None once it was erased. `failures` counts those in a row; `sessions` stand oldest first."""

    id: CredentialsId
    version: int
    status: Status
    user_id: UserId
    password_hash: str | None
    sessions: tuple[Session, ...] = ()
    failures: int = 0
    locked_until: datetime | None = None
    reset: Reset | None = None
    sign_ins: int = 0
    last_sign_in: datetime | None = None

    def locked(self, at: datetime) -> bool:
        return self.locked_until is not None and at < self.locked_until

    def session(self, id: UUID) -> Session | None:
        return next((s for s in self.sessions if s.id == id), None)

    def holds(self, session_id: UUID, token_hash: str, at: datetime) -> bool:
        """Whether this is the one good token of a session that is not over."""
        session = self.session(session_id)
        return session is not None and session.token_hash == token_hash and at < session.expires_at


def credentials_id(user_id: UUID) -> CredentialsId:
    return CredentialsId(derive("credentials", user_id))


def close(credentials: Credentials, *, at: datetime) -> CredentialsEvent | None:
    return CredentialsClosed(**after(credentials, at)) if credentials.status is Status.OPEN else None


# --- evolution --------------------------------------------------------------------------------------------------------


def evolve(credentials: Credentials | None, event: CredentialsEvent) -> Credentials:
    if isinstance(event, PasswordSet):
        return _opened(event)
    assert credentials is not None
    return _evolved(replace(credentials, version=event.originator_version), event)


def _evolved(credentials: Credentials, event: CredentialsEvent) -> Credentials:
    match event:
        case SignedIn():
            return _signed_in(credentials, event)
        case SignInFailed():
            return replace(credentials, failures=credentials.failures + 1)
        case LockedOut():
            return replace(credentials, failures=0, locked_until=event.until)
        case SessionRefreshed():
            return _refreshed(credentials, event)
        case SessionEnded():
            return replace(credentials, sessions=tuple(s for s in credentials.sessions if s.id != event.session_id))
        case AllSessionsEnded():
            return replace(credentials, sessions=())
        case PasswordChanged():
            return replace(credentials, password_hash=_known(event.password_hash), reset=None)
        case PasswordResetAsked():
            return replace(credentials, reset=Reset(event.token_hash, event.expires_at))
        case PasswordReset():
            return _reset(credentials, event)
        case CredentialsClosed():
            return replace(credentials, status=Status.CLOSED, password_hash=None, sessions=(), reset=None)
        case _:
            raise TypeError(f"{type(event).__name__} is no event of credentials")


def _opened(event: PasswordSet) -> Credentials:
    return Credentials(
        id=CredentialsId(event.originator_id),
        version=event.originator_version,
        status=Status.OPEN,
        user_id=UserId(event.user_id),
        password_hash=_known(event.password_hash),
    )


def _signed_in(credentials: Credentials, event: SignedIn) -> Credentials:
    """Sessions that ran out are dropped here, so that the list stays short."""
    alive = tuple(s for s in credentials.sessions if event.timestamp < s.expires_at)
    return replace(
        credentials,
        sessions=(*alive, Session(event.session_id, event.token_hash, event.expires_at)),
        failures=0,
        locked_until=None,
        sign_ins=credentials.sign_ins + 1,
        last_sign_in=event.timestamp,
    )


def _refreshed(credentials: Credentials, event: SessionRefreshed) -> Credentials:
    new = Session(event.session_id, event.token_hash, event.expires_at)
    return replace(credentials, sessions=tuple(new if s.id == new.id else s for s in credentials.sessions))


def _reset(credentials: Credentials, event: PasswordReset) -> Credentials:
    return replace(credentials, password_hash=_known(event.password_hash), reset=None, failures=0, locked_until=None)


def _known(password_hash: str | Erased) -> str | None:
    return None if isinstance(password_hash, Erased) else password_hash
