"""How far somebody has followed: of each thing the version that they saw last, and when that was, in one word."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from read_api.errors import InvalidCursor

ID: Final = 16  # bytes
VERSION: Final = 6  # bytes
SIZE: Final = ID + VERSION
LONGEST: Final = 4_000  # characters; a hundred things have 2,963

Seen = Mapping[UUID, int]
"""Versions by id."""


WHEN: Final = UUID(int=0)
"""Stands for the time, in milliseconds since 1970."""


def mark(seen: Seen, at: datetime) -> str:
    """It says nothing but what its reader was told, so it is not signed."""
    parts = {WHEN: int(at.timestamp() * 1000), **seen}
    text = b"".join(id.bytes + version.to_bytes(VERSION, "big") for id, version in parts.items())
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def seen_of(mark: str) -> tuple[Seen, datetime | None]:
    """And when that was. Raises InvalidCursor."""
    if len(mark) > LONGEST:
        raise InvalidCursor("after")
    try:
        text = b64decode(mark.encode("ascii") + b"=" * (-len(mark) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidCursor("after") from None
    if len(text) % SIZE:
        raise InvalidCursor("after")
    parts = (text[start : start + SIZE] for start in range(0, len(text), SIZE))
    seen = {UUID(bytes=part[:ID]): int.from_bytes(part[ID:], "big") for part in parts}
    at = seen.pop(WHEN, None)
    try:
        return seen, datetime.fromtimestamp(at / 1000, UTC) if at is not None else None
    except (ValueError, OverflowError):
        raise InvalidCursor("after") from None
