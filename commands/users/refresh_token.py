"""Refresh tokens as clients hold them: `<user id and session id in base64>.<secret>`."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import NamedTuple
from uuid import UUID

from domain.ids import UserId
from domain.users.errors import SessionOver


class Token(NamedTuple):
    """A refresh token names its user and session, so that it can be looked up, and holds the secret that is checked."""

    user_id: UserId
    session_id: UUID
    secret: str

    def __str__(self) -> str:
        where = urlsafe_b64encode(self.user_id.bytes + self.session_id.bytes).decode().rstrip("=")
        return f"{where}.{self.secret}"


def parsed(text: str) -> Token:
    """Raises SessionOver for what is none of our tokens."""
    where, _, secret = text.partition(".")
    try:
        ids = urlsafe_b64decode(f"{where}=".encode("ascii"))
    except (NotBase64, UnicodeEncodeError):
        raise SessionOver from None
    if len(ids) != 32 or not secret:
        raise SessionOver
    return Token(UserId(UUID(bytes=ids[:16])), UUID(bytes=ids[16:]), secret)
