"""PostgreSQL's binary form of one-dimensional arrays, for the append.

psycopg's own dumpers cost 46 us for the arrays of a single command, these 10: they know what they are given.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

BYTEA: Final = 17
INT8: Final = 20
INT4: Final = 23
TEXT: Final = 25
BOOL: Final = 16
TIMESTAMPTZ: Final = 1184
UUID_OID: Final = 2950

ARRAY_OF: Final = {BYTEA: 1001, INT8: 1016, INT4: 1007, TEXT: 1009, TIMESTAMPTZ: 1185, UUID_OID: 2951}

_HEADER = struct.Struct("!iiiii")
_LENGTH = struct.Struct("!i")
_INT4 = struct.Struct("!ii")
_INT8 = struct.Struct("!iq")
_NULL = b"\xff\xff\xff\xff"
_SIXTEEN = _LENGTH.pack(16)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def _array(oid: int, count: int, body: bytes) -> bytes:
    if not count:
        return _HEADER.pack(0, 0, oid, 0, 0)[:12]
    return _HEADER.pack(1, 1, oid, count, 1) + body


def int4s(values: Sequence[int | None]) -> bytes:
    pack = _INT4.pack
    return _array(INT4, len(values), b"".join([_NULL if v is None else pack(4, v) for v in values]))


def int8s(values: Sequence[int]) -> bytes:
    pack = _INT8.pack
    return _array(INT8, len(values), b"".join([pack(8, v) for v in values]))


def uuids(values: Sequence[UUID | None]) -> bytes:
    return _array(UUID_OID, len(values), b"".join([_NULL if v is None else _SIXTEEN + v.bytes for v in values]))


def uuid_bytes(values: Sequence[bytes]) -> bytes:
    return _array(UUID_OID, len(values), b"".join([_SIXTEEN + v for v in values]))


def byteas(values: Sequence[bytes]) -> bytes:
    return _array(BYTEA, len(values), _lengths(values))


def texts(values: Sequence[str | None]) -> bytes:
    return _array(TEXT, len(values), _lengths(None if v is None else v.encode() for v in values))


def timestamps(values: Sequence[datetime | None]) -> bytes:
    pack = _INT8.pack
    body = b"".join([_NULL if v is None else pack(8, _microseconds(v)) for v in values])
    return _array(TIMESTAMPTZ, len(values), body)


def _lengths(values: Iterable[bytes | None]) -> bytes:
    pack = _LENGTH.pack
    return b"".join([_NULL if v is None else pack(len(v)) + v for v in values])


def _microseconds(value: datetime) -> int:
    since = value - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
