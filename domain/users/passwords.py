"""Setting, changing and resetting a password. Only hashes are ever seen here."""

from __future__ import annotations

from datetime import datetime

from domain.errors import AlreadyExists
from domain.event import after, first
from domain.ids import UserId
from domain.lifecycle import require
from domain.users.credentials import DEFAULT_POLICY, Credentials, Policy, Status, credentials_id, evolve
from domain.users.errors import ResetTokenNotGood
from domain.users.events import (
    CredentialsEvent,
    PasswordChanged,
    PasswordReset,
    PasswordResetAsked,
    PasswordSet,
    SessionEnd,
)
from domain.users.sessions import end_all_sessions


def set_password(
    credentials: Credentials | None, user_id: UserId, password_hash: str, *, at: datetime
) -> CredentialsEvent:
    id = credentials_id(user_id)
    if credentials is not None:
        raise AlreadyExists("credentials", id)
    return PasswordSet(**first(id, at), user_id=user_id, password_hash=password_hash)


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
