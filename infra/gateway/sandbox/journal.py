"""A file of JSON lines, one for each change, on the disk before the change is answered."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

NAME = "sandbox.jsonl"


class Journal:
    """Several writers share one flush. A last line that was torn by a crash was never answered, and is left out."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / NAME
        self._written = self._flushed = 0
        self._flushing = asyncio.Lock()

    def read(self) -> Iterator[dict[str, Any]]:
        """Raises ValueError for a line that is damaged and not the last."""
        if not self._path.exists():
            return
        *lines, torn = self._path.read_bytes().split(b"\n")
        yield from map(json.loads, lines)
        if torn and torn.endswith(b"}") and whole(torn):
            yield json.loads(torn)

    def begin(self, lines: Iterable[dict[str, Any]]) -> None:
        """Replaces the file by a shorter one that says the same, and opens it."""
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.writelines(map(encoded, lines))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._file = self._path.open("ab", buffering=0)

    def write(self, line: dict[str, Any]) -> None:
        self._written += 1
        self._file.write(encoded(line))

    async def flush(self) -> None:
        """Returns once everything written so far is on the disk."""
        wanted = self._written
        async with self._flushing:
            if self._flushed >= wanted:
                return
            written = self._written
            await asyncio.to_thread(os.fsync, self._file.fileno())
            self._flushed = written

    def close(self) -> None:
        self._file.close()


def encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
