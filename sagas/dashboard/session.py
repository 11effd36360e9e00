"""Who is signed in, in a cookie that only this installation can make or read."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, new
from typing import Final
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ConfigDict, ValidationError

LASTS: Final = timedelta(hours=8)
IDLE: Final = timedelta(hours=1)
PAD: Final = 32  # bytes, as many as a token has
RENEWED: Final = timedelta(minutes=1)
"""So old a cookie is set anew when it comes back, so that who keeps looking stays signed in."""


class Session(BaseModel):
    """`csrf` must come back with every form; `refresh` ends the session of the command API at sign-out."""

    model_config = ConfigDict(frozen=True)

    user: UUID
    email: str
    csrf: str
    refresh: str
    since: datetime
    seen: datetime

    def token(self, pad: bytes) -> str:
        """`csrf` as a page has it: another one in each, so that nobody guesses it from how well pages compress."""
        return urlsafe_b64encode(pad + xor(pad, self.csrf.encode())).decode()

    def matches(self, token: str) -> bool:
        try:
            raw = urlsafe_b64decode(token.encode())
        except ValueError:
            return False
        half = len(raw) // 2
        return compare_digest(xor(raw[:half], raw[half:]), self.csrf.encode())


def xor(pad: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(pad, text, strict=False))


@dataclass(frozen=True, slots=True)
class Over:
    """A session that was good once."""

    session: Session


class Sessions:
    """Seals sessions into cookies; what somebody else made, or has changed, is none."""

    def __init__(self, secret: bytes, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._box = Fernet(urlsafe_b64encode(sha256(b"chobo dashboard session" + secret).digest()))
        self._vouches = sha256(b"chobo dashboard voucher" + secret).digest()
        self._now = now

    def begin(self, user: UUID, email: str, refresh: str) -> Session:
        now = self._now()
        return Session(user=user, email=email, csrf=secrets.token_urlsafe(24), refresh=refresh, since=now, seen=now)

    def sealed(self, session: Session) -> str:
        return self._box.encrypt(session.model_dump_json().encode()).decode()

    def read(self, cookie: str) -> Session | Over | None:
        try:
            session = Session.model_validate_json(self._box.decrypt(cookie.encode()))
        except (InvalidToken, ValidationError, ValueError):
            return None
        return session if self.lasts(session) and self._now() - session.seen <= IDLE else Over(session)

    def lasts(self, session: Session) -> bool:
        """Whether it is not too old; nobody must have asked for anything lately."""
        return self._now() - session.since <= LASTS

    def vouched(self, text: str) -> str:
        """What only this installation can say of a text: that it has seen it to be so."""
        return new(self._vouches, text.encode(), sha256).hexdigest()

    def vouches(self, text: str, said: str) -> bool:
        return compare_digest(self.vouched(text).encode(), said.encode())

    def renewed(self, session: Session) -> Session | None:
        """Seen now, if that is worth a new cookie."""
        now = self._now()
        return session.model_copy(update={"seen": now}) if now - session.seen > RENEWED else None
