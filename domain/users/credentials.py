"""Credentials: a password, and the sessions it opened. A stream of its own: signing in never disturbs the profile.

A session is a family of refresh tokens: each refresh replaces the token by the next, and one that comes a second time
ends the session, for then somebody else has a copy of it. Only hashes of tokens are ever seen here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import reduce
from typing import Final
from uuid import UUID

from domain.errors import AlreadyExists
from domain.event import Erased, after, first
from domain.ids import CredentialsId, UserId, derive
from domain.lifecycle import require
from domain.users.errors import ResetTokenNotGood, SessionOver, SignInRefused
from domain.users.events import (
    AllSessionsEnded,
    CredentialsClosed,
    CredentialsEvent,
    LockedOut,
    PasswordChanged,
    PasswordReset,
    PasswordResetAsked,
    PasswordSet,
    SessionEnd,
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


def set_password(
    credentials: Credentials | None, user_id: UserId, password_hash: str, *, at: datetime
) -> CredentialsEvent:
    id = credentials_id(user_id)
    if credentials is not None:
        raise AlreadyExists("credentials", id)
    return PasswordSet(**first(id, at), user_id=user_id, password_hash=password_hash)


# --- signing in -------------------------------------------------------------------------------------------------------


def sign_in(
    credentials: Credentials, session_id: UUID, token_hash: str, *, policy: Policy = DEFAULT_POLICY, at: datetime
) -> list[CredentialsEvent]:
    """The password was right. Raises SignInRefused when the account is locked all the same."""
    if credentials.status is Status.CLOSED or credentials.locked(at):
        raise SignInRefused
    if credentials.session(session_id) is not None:
        raise AlreadyExists("session", session_id)
    ended = _make_room(credentials, policy, at)
    credentials = reduce(evolve, ended, credentials)
    signed_in = SignedIn(
        **after(credentials, at), session_id=session_id, token_hash=token_hash, expires_at=at + policy.session_lasts
    )
    return [*ended, signed_in]


def _make_room(credentials: Credentials, policy: Policy, at: datetime) -> list[CredentialsEvent]:
    alive = [s for s in credentials.sessions if at < s.expires_at]
    ended: list[CredentialsEvent] = []
    for session in alive[: max(0, len(alive) - policy.sessions + 1)]:
        ended.append(SessionEnded(**after(credentials, at), session_id=session.id, reason=SessionEnd.CROWDED_OUT))
        credentials = evolve(credentials, ended[-1])
    return ended


def fail(credentials: Credentials, *, policy: Policy = DEFAULT_POLICY, at: datetime) -> list[CredentialsEvent]:
    """The password was wrong. While the account is locked nothing more is recorded, so nobody can fill the stream."""
    if credentials.status is Status.CLOSED or credentials.locked(at):
        return []
    failed = SignInFailed(**after(credentials, at))
    credentials = evolve(credentials, failed)
    if credentials.failures < policy.failures:
        return [failed]
    return [failed, LockedOut(**after(credentials, at), until=at + policy.locked_for)]


# --- sessions ---------------------------------------------------------------------------------------------------------


def refresh(
    credentials: Credentials,
    session_id: UUID,
    token_hash: str,
    next_hash: str,
    *,
    policy: Policy = DEFAULT_POLICY,
    at: datetime,
) -> CredentialsEvent:
    """The next token of a session - or its end, when a token came that had been replaced. Raises SessionOver."""
    session = _alive(credentials, session_id, at)
    if session.token_hash != token_hash:
        return SessionEnded(**after(credentials, at), session_id=session_id, reason=SessionEnd.REUSED)
    expires_at = at + policy.session_lasts
    return SessionRefreshed(
        **after(credentials, at), session_id=session_id, token_hash=next_hash, expires_at=expires_at
    )


def sign_out(credentials: Credentials, session_id: UUID, token_hash: str, *, at: datetime) -> CredentialsEvent | None:
    """A session that is over stays so; a token that had been replaced ends its session too."""
    session = credentials.session(session_id)
    if session is None:
        return None
    reason = SessionEnd.SIGNED_OUT if session.token_hash == token_hash else SessionEnd.REUSED
    return SessionEnded(**after(credentials, at), session_id=session_id, reason=reason)


def end_all_sessions(credentials: Credentials, reason: SessionEnd, *, at: datetime) -> CredentialsEvent | None:
    return AllSessionsEnded(**after(credentials, at), reason=reason) if credentials.sessions else None


def _alive(credentials: Credentials, session_id: UUID, at: datetime) -> Session:
    session = credentials.session(session_id)
    if session is None or session.expires_at <= at:
        raise SessionOver
    return session


# --- the password -----------------------------------------------------------------------------------------------------


def change_password(credentials: Credentials, password_hash: str, *, at: datetime) -> list[CredentialsEvent]:
    """The old password was asked and right. Every session ends."""
    require(credentials, Status.OPEN)
    changed = PasswordChanged(**after(credentials, at), user_id=credentials.user_id, password_hash=password_hash)
    return [changed, *_sessions_end(evolve(credentials, changed), at)]


def ask_reset(
    credentials: Credentials, token_hash: str, *, policy: Policy = DEFAULT_POLICY, at: datetime
) -> CredentialsEvent:
    """A newer request makes the older one's token worthless."""
    require(credentials, Status.OPEN)
    return PasswordResetAsked(**after(credentials, at), token_hash=token_hash, expires_at=at + policy.reset_lasts)


def reset_password(
    credentials: Credentials, token_hash: str, password_hash: str, *, at: datetime
) -> list[CredentialsEvent]:
    """Ends every session and every lock-out. Raises ResetTokenNotGood."""
    require(credentials, Status.OPEN)
    reset = credentials.reset
    if reset is None or reset.token_hash != token_hash or reset.expires_at <= at:
        raise ResetTokenNotGood
    done = PasswordReset(**after(credentials, at), user_id=credentials.user_id, password_hash=password_hash)
    return [done, *_sessions_end(evolve(credentials, done), at)]


def _sessions_end(credentials: Credentials, at: datetime) -> list[CredentialsEvent]:
    ended = end_all_sessions(credentials, SessionEnd.PASSWORD_CHANGED, at=at)
    return [ended] if ended else []


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
