"""Who was erased, in a file outside of all databases: what makes a restored backup forget them again before it serves.

A line an erasure, `{"user": id, "at": time of the key's destruction}`, only ever appended, on the disk before the
erasure goes on. It holds ids, nothing personal. Many processes, on one machine or on a shared disk, may append.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID


class ListDamaged(Exception):
    def __init__(self, path: Path, number: int) -> None:
        super().__init__(
            f'{path}, line {number}: it must be {{"user": id, "at": time}}: mend it, and leave no line out'
        )


@dataclass(frozen=True, slots=True)
class ErasureList:
    path: Path

    async def add(self, erased: Mapping[UUID, datetime]) -> None:
        """Those who are not on it yet. Raises ListDamaged, OSError."""
        await asyncio.to_thread(self._add, erased)

    async def read(self) -> dict[UUID, datetime]:
        """By user; empty when there is no file yet. Raises ListDamaged, OSError."""
        return await asyncio.to_thread(self._read)

    def _add(self, erased: Mapping[UUID, datetime]) -> None:
        known = self._read()
        lines = [line_of(user_id, at) for user_id, at in erased.items() if user_id not in known]
        if not lines:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            torn = file.tell() > 0 and not self.path.read_bytes().endswith(b"\n")
            for line in ["\n" * torn + lines[0], *lines[1:]]:
                append(file.fileno(), line.encode())
            os.fsync(file.fileno())

    def _read(self) -> dict[UUID, datetime]:
        if not self.path.exists():
            return {}
        *lines, last = self.path.read_text(encoding="utf-8").split("\n")
        whole = dict(self._entry(number, line) for number, line in enumerate(lines, 1) if not is_torn(line))
        return whole | ({} if is_torn(last) else dict([self._entry(len(lines) + 1, last)]))

    def _entry(self, number: int, line: str) -> tuple[UUID, datetime]:
        try:
            value = json.loads(line)
            return UUID(value["user"]), datetime.fromisoformat(value["at"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ListDamaged(self.path, number) from error


def append(file: int, line: bytes) -> None:
    """In one piece, whoever else appends. Raises OSError when there is no room for all of it."""
    if (written := os.write(file, line)) < len(line):
        raise OSError(errno.ENOSPC, f"{written} bytes of {len(line)} were written to the list of erasures")


def line_of(user_id: UUID, at: datetime) -> str:
    return json.dumps({"user": str(user_id), "at": at.isoformat()}) + "\n"


def is_torn(line: str) -> bool:
    """Whoever wrote it died at it, before the erasure went on; it was written again."""
    return not line.endswith("}")
