"""Ids of values that may be taken only once: nobody who reads the log can find out whose value it was."""

from __future__ import annotations

import hmac
from hashlib import blake2b, sha256

from domain.ids import ClaimId, derive


class HiddenClaims:
    """The id is derived from an HMAC of the value. The secret may never change: every claim would be free again."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._key = sha256(b"digest/" + self._secret).digest()

    def claim_id(self, kind: str, value: str) -> ClaimId:
        hidden = hmac.new(self._secret, value.encode(), sha256).hexdigest()
        return ClaimId(derive(f"claim/{kind}", hidden))

    def digest(self, value: bytes) -> bytes:
        return blake2b(value, key=self._key, digest_size=32).digest()
