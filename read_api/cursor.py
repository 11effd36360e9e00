"""Cursors: places in a list, signed, so that no client can make one up or carry it to another list."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from pydantic_core import from_json, to_json

from projections.listing import Mark
from read_api.errors import InvalidCursor

MAC: Final = 16  # bytes


class Cursors:
    """Makes and opens cursors. `of` names list and ordering; a cursor can be opened for the same only."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def sign(self, of: str, mark: Mark) -> str:
        value = mark.value.astimezone(UTC) if isinstance(mark.value, datetime) else mark.value
        return self.signed(of, to_json([value, mark.id])).decode()

    def signed(self, of: str, payload: bytes) -> bytes:
        """`payload` is a mark as JSON: [value, id]."""
        return urlsafe_b64encode(self._mac(of, payload) + payload).rstrip(b"=")

    def open(self, of: str, cursor: str, argument: str) -> Mark:
        """Raises InvalidCursor, naming the argument."""
        try:
            text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise InvalidCursor(argument) from None
        mac, payload = text[:MAC], text[MAC:]
        if not hmac.compare_digest(mac, self._mac(of, payload)):
            raise InvalidCursor(argument)
        value, id = from_json(payload)
        return Mark(value, UUID(id))

    def _mac(self, of: str, payload: bytes) -> bytes:
        return hmac.digest(self._secret, b"%s\0%s" % (of.encode(), payload), sha256)[:MAC]
