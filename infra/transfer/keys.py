"""The personal-data keys of all users, apart from any log: wrapped, as they are stored, by CHOBO_MASTER_KEY.

Who has a log, this file and the master key can read everything; who has the log alone reads no personal field.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.keys import unwrapped
from infra.transfer import files
from infra.transfer.files import NotWhole
from infra.transfer.lines import FORMAT, as_text, json_line, json_object, optional

SELECT: Final = "SELECT user_id, wrapped, created_at, destroyed_at FROM users.keys ORDER BY user_id"

# Destroyed is for ever, whichever side knows of it.
INSERT: Final = """
INSERT INTO users.keys (user_id, wrapped, created_at, destroyed_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (user_id) DO UPDATE SET wrapped = NULL, destroyed_at = excluded.destroyed_at
WHERE keys.wrapped IS NOT NULL AND excluded.wrapped IS NULL
"""

AT_ONCE: Final = 1_000

Key = tuple[UUID, bytes | None, datetime, datetime | None]


def export_keys(conninfo: str, path: Path) -> int:
    """How many there were, destroyed ones included. Raises psycopg.OperationalError, OSError."""
    count, digest = 0, hashlib.sha256()
    with psycopg.connect(conninfo) as connection, files.written(path) as file:
        header = json_line({"chobo": "keys", "format": FORMAT, "madeAt": as_text(datetime.now(UTC))})
        file.write(header)
        digest.update(header)
        with connection.cursor("keys", binary=True) as cursor:
            for key in cursor.execute(SELECT):
                file.write(line := _line(key))
                digest.update(line)
                count += 1
        file.write(json_line({"end": "keys", "keys": count, "digest": f"sha256:{digest.hexdigest()}"}))
    return count


def import_keys(conninfo: str, path: Path, master: bytes) -> int:
    """Adds the keys that are not there and destroys those that the file says were; all of them or none.

    Raises NotWhole, WrongMasterKey, psycopg.OperationalError, OSError.
    """
    count = 0
    with psycopg.connect(conninfo) as connection, files.lines(path) as lines:
        keys = _read(lines)
        while some := list(islice(keys, AT_ONCE)):
            _check(some, AESGCM(master))
            connection.cursor().executemany(INSERT, some)
            count += len(some)
    return count


def _check(keys: Iterable[Key], master: AESGCM) -> None:
    """One of them is enough: all of a file were wrapped by the same master key. Raises WrongMasterKey."""
    live = ((user, wrapped) for user, wrapped, *_ in keys if wrapped is not None)
    for user, wrapped in islice(live, 1):
        unwrapped(master, user, wrapped)


def _read(lines: Iterator[bytes]) -> Iterator[Key]:
    """The keys; at the end everything has been checked."""
    first = next(lines, b"")
    header = json_object(first, 1)
    if header.get("chobo") != "keys":
        raise NotWhole("the first line is not the header of exported keys")
    if not isinstance(form := header.get("format"), int) or form > FORMAT:
        raise NotWhole(f"the file has format {form}, this release reads up to {FORMAT}")
    count, digest = 0, hashlib.sha256(first)
    for number, line in enumerate(lines, 2):
        found = json_object(line, number)
        if found.get("end") == "keys":
            if (found.get("keys"), found.get("digest")) != (count, f"sha256:{digest.hexdigest()}"):
                raise NotWhole("the file of keys was altered: count or digest differ")
            return
        digest.update(line)
        count += 1
        yield _key(found, number)
    raise NotWhole(f"the file of keys is cut off after {count} keys")


def _line(key: Key) -> bytes:
    user, wrapped, created, destroyed = key
    return json_line(
        {
            "user": str(user),
            "wrapped": None if wrapped is None else b64encode(wrapped).decode(),
            "createdAt": as_text(created),
            "destroyedAt": optional(as_text, destroyed),
        }
    )


def _key(found: Mapping[str, Any], number: int) -> Key:
    try:
        return (
            UUID(found["user"]),
            optional(b64decode, found["wrapped"]),
            datetime.fromisoformat(found["createdAt"]),
            optional(datetime.fromisoformat, found["destroyedAt"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise NotWhole(f"line {number} is damaged: {type(error).__name__} {error}") from None
