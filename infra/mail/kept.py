"""Mails kept in a directory where there is no mail server: `<notification id>.eml`, and an index of them."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final
from uuid import UUID

from commands.services import utc_now
from infra.mail.message import as_bytes, mail
from infra.notify.channel import Letter

INDEX: Final = "index.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the index."""

    id: UUID
    user_id: UUID | None
    at: datetime
    to: str
    subject: str


class MailDirectory:
    """The index has the newest first. Several processes may use one directory."""

    def __init__(self, path: Path, sender: str = "") -> None:
        self._path = path
        self._sender = sender

    async def send(self, letter: Letter) -> str:
        """The Message-ID. A letter that is there already stays as it is. Raises Undeliverable."""
        at = utc_now()
        message = mail(letter, self._sender, at)
        entry = Entry(letter.id, letter.user_id, at, str(message["To"]), str(message["Subject"]))
        await asyncio.to_thread(self._keep, entry, as_bytes(message))
        return str(message["Message-ID"])

    def entries(self) -> list[Entry]:
        """The newest first; none where nothing was ever kept."""
        index = self._path / INDEX
        return [entry(line) for line in index.read_text("utf-8").splitlines()] if index.exists() else []

    def read(self, id: UUID) -> EmailMessage | None:
        file = self._file(id)
        if not file.exists():
            return None
        message = message_from_bytes(file.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage), "that is what this policy makes"
        return message

    async def forget(self, user_id: UUID) -> int:
        """Throws away all mails to a user. How many it were."""
        return await asyncio.to_thread(self._forget, user_id)

    def _keep(self, entry: Entry, mail: bytes) -> None:
        with self._locked():
            kept = self.entries()
            if any(other.id == entry.id for other in kept):
                return
            write(self._file(entry.id), mail)
            self._write_index([entry, *kept])

    def _forget(self, user_id: UUID) -> int:
        if not (self._path / INDEX).exists():
            return 0
        with self._locked():
            kept = self.entries()
            theirs = [entry for entry in kept if entry.user_id == user_id]
            for entry in theirs:
                self._file(entry.id).unlink(missing_ok=True)
            self._write_index([entry for entry in kept if entry.user_id != user_id])
        return len(theirs)

    def _write_index(self, entries: list[Entry]) -> None:
        lines = "".join(json.dumps(asdict(each), default=str, ensure_ascii=False) + "\n" for each in entries)
        write(self._path / INDEX, lines.encode())

    def _file(self, id: UUID) -> Path:
        return self._path / f"{id}.eml"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def entry(line: str) -> Entry:
    found = json.loads(line)
    user_id = UUID(found["user_id"]) if found["user_id"] else None
    return Entry(UUID(found["id"]), user_id, datetime.fromisoformat(found["at"]), found["to"], found["subject"])


def write(path: Path, content: bytes) -> None:
    """The whole file or none of it; readable by its owner only."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.replace(path)
