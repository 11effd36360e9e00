"""How far somebody has followed: of each thing the version that they saw last, in one word."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from read_api.errors import InvalidCursor

ID: Final = 16  # bytes
VERSION: Final = 6  # bytes
SIZE: Final = ID + VERSION
LONGEST: Final = 4_000  # characters; a hundred things have 2,934

Seen = Mapping[UUID, int]
"""Versions by id."""


def mark(seen: Seen) -> str:
    """It says nothing but what its reader was told, so it is not signed."""
    text = b"".join(id.bytes + version.to_bytes(VERSION, "big") for id, version in seen.items())
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def seen_of(mark: str) -> dict[UUID, int]:
    """Raises InvalidCursor."""
    if len(mark) > LONGEST:
        raise InvalidCursor("after")
    try:
        text = b64decode(mark.encode("ascii") + b"=" * (-len(mark) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidCursor("after") from None
    if len(text) % SIZE:
        raise InvalidCursor("after")
    parts = (text[start : start + SIZE] for start in range(0, len(text), SIZE))
    return {UUID(bytes=part[:ID]): int.from_bytes(part[ID:], "big") for part in parts}
