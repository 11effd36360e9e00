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
    """Keeping one costs the same however many there are: the index is only added to, and before the mail is written, so
    that no mail is without its line. Several processes may use one directory.
    """

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
        kept = {entry.id: entry for entry in self._index() if self._file(entry.id).exists()}
        return sorted(kept.values(), key=lambda entry: entry.at, reverse=True)

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
            if not self._file(entry.id).exists():
                self._add_to_index(entry)
                write(self._file(entry.id), mail)

    def _forget(self, user_id: UUID) -> int:
        if not (self._path / INDEX).exists():
            return 0
        with self._locked():
            kept = self._index()
            theirs = {entry.id for entry in kept if entry.user_id == user_id}
            there = [self._file(id) for id in theirs if self._file(id).exists()]
            for file in there:
                file.unlink()
            write(self._path / INDEX, b"".join(line(entry) for entry in kept if entry.user_id != user_id))
        return len(there)

    def _index(self) -> list[Entry]:
        """As lines were added; what a process that died has left of one is none."""
        index = self._path / INDEX
        lines = index.read_text("utf-8", "replace").splitlines() if index.exists() else []
        return [found for each in lines if (found := entry(each))]

    def _add_to_index(self, entry: Entry) -> None:
        descriptor = os.open(self._path / INDEX, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as index:
            ends = index.seek(0, os.SEEK_END)
            index.seek(max(0, ends - 1))
            torn = index.read(1) not in {b"", b"\n"}
            index.write(b"\n" * torn + line(entry))

    def _file(self, id: UUID) -> Path:
        return self._path / f"{id}.eml"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), default=str, ensure_ascii=False).encode() + b"\n"


def entry(line: str) -> Entry | None:
    """None for what is not a whole line."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    user_id = UUID(found["user_id"]) if found["user_id"] else None
    return Entry(UUID(found["id"]), user_id, datetime.fromisoformat(found["at"]), found["to"], found["subject"])


def write(path: Path, content: bytes) -> None:
    """The whole file or none of it; readable by its owner only."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.replace(path)
