"""Signing in, staying signed in, signing out.

A session is a family of refresh tokens: each refresh replaces the token by the next, and one that comes a second time
ends the session, for then somebody else has a copy of it. Only hashes of tokens are ever seen here.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from uuid import UUID

from domain.errors import AlreadyExists
from domain.event import after
from domain.users.credentials import DEFAULT_POLICY, Credentials, Policy, Session, Status, evolve
from domain.users.errors import SessionOver, SignInRefused
from domain.users.events import (
    AllSessionsEnded,
    CredentialsEvent,
    LockedOut,
    SessionEnd,
    SessionEnded,
    SessionRefreshed,
    SignedIn,
    SignInFailed,
)


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
