"""The tokens in mailed links. None is stored: who sends the mail makes it again from the ids of what it is for.

Only who knows the secret of the claims can do that, so neither log nor topic helps anybody to somebody else's account.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from uuid import UUID

from commands.services import Claims

REGISTERED: Final = 1
"""The version of the event that an activation link is for."""


class MailedLinks:
    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def activation(self, user_id: UUID) -> str:
        """Good until the account is activated."""
        return self._token("activation", user_id, REGISTERED)

    def is_activation(self, user_id: UUID, token: str) -> bool:
        return compare_digest(self.activation(user_id).encode(), token.encode())

    def reset(self, credentials_id: UUID, version: int) -> str:
        """For the PasswordResetAsked with this version."""
        return self._token("reset", credentials_id, version)

    def reset_hash(self, credentials_id: UUID, version: int) -> str:
        return token_hash(self.reset(credentials_id, version))

    def _token(self, purpose: str, id: UUID, version: int) -> str:
        """43 characters. What else is digested under this secret is JSON, and does not begin like this."""
        said = f"mailed-link/{purpose}/{id}/{version}".encode()
        return urlsafe_b64encode(self._claims.digest(said)).decode().rstrip("=")


def token_hash(token: str) -> str:
    """As it is stored."""
    return sha256(token.encode()).hexdigest()
