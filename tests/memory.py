"""Where a test process keeps its PostgreSQL: in memory if there is much of it, else on the disk.

Making and dropping a database for each test is writing files of many megabytes that nobody reads again.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests import full

MEMORY: Final = Path("/dev/shm")
PREFIX: Final = "chobo-tests-"
ENOUGH: Final = 4 * 2**30
"""Bytes that must be free: a test process needs a quarter of it at small size. A container often has 64 MB."""


@contextmanager
def directory(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For a server's data. What is there does not outlive the process, or not for long: see `_forget_the_dead`."""
    if not _has_room():
        yield factory.mktemp("postgres")
        return
    _forget_the_dead()
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=MEMORY) as made:
        yield Path(made)


def _has_room() -> bool:
    """At full size there may be millions of events: those belong on a disk."""
    return full.chosen()[0] == "" and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH


def _forget_the_dead() -> None:
    """Removes what test processes left that were killed: nobody holds the lock of their server any more."""
    for lock in MEMORY.glob(f"{PREFIX}*/lock"):
        if _is_old(lock) and _is_free(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)


def _is_old(path: Path) -> bool:
    """One that is just being started has yet to take its lock."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime < time.time() - 60
    return False


def _is_free(path: Path) -> bool:
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, another user's, or just gone
        return False
    return True
