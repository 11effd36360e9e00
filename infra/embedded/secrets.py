"""The secrets of an embedded installation: made once, kept in its data directory, readable by its owner only."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path


def secrets_in(data: Path, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """The secrets kept in `data`/secrets.json; those that `makers` names and the file lacks are made and kept."""
    path = data / "secrets.json"
    with (data / "secrets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at once must not make two sets
        return _kept_or_made(path, makers)


def _kept_or_made(path: Path, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: make() for name, make in makers.items() if name not in kept}
    if missing:
        kept |= missing
        _replace(path, json.dumps(kept, indent=2) + "\n")
    return kept


def _replace(path: Path, text: str) -> None:
    """Writes the whole file or none of it: losing the master key would lose every personal field."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
