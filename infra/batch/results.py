"""What became of each line, in a file beside it: for people to read, and for the next run to go on from."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Self


class Outcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"  # by a rule of the domain; a later run asks again
    INVALID = "invalid"  # not a command at all
    FAILED = "failed"  # something is broken; a later run asks the same again
    DONE_BEFORE = "done before"


@dataclass(frozen=True, slots=True)
class Result:
    """`name` is the line's; `code` and `detail` say why not, as a problem of the command API does, and `step` which of
    the line's commands it was."""

    line: int
    outcome: Outcome
    name: str
    id: str | None = None
    version: int | None = None
    code: str | None = None
    detail: str | None = None
    step: int | None = None

    def told(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}


class Results:
    """Use as a context manager. Each result is on its way to the disk before the next line of its subject begins."""

    def __init__(self, path: Path | None) -> None:
        """None keeps nothing."""
        self._path = path
        self._file: IO[str] | None = None
        self._done: set[str] = set()
        self._refused: Counter[tuple[str, int]] = Counter()

    def __enter__(self) -> Self:
        if self._path is not None:
            whole = self._read(self._path) if self._path.exists() else True
            self._file = self._path.open("a", encoding="utf-8")
            if not whole:
                self._file.write("\n")  # a run that was killed left half a line
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def is_done(self, name: str) -> bool:
        return name in self._done

    def refusals(self, name: str, step: int) -> int:
        """How often this command of the line was refused: asked again, it needs another key."""
        return self._refused[name, step]

    def add(self, result: Result) -> None:
        if self._file is not None:
            self._file.write(json.dumps(result.told(), ensure_ascii=False) + "\n")
            self._file.flush()

    def _read(self, path: Path) -> bool:
        """Whether the last line has an end."""
        line = "\n"
        with path.open(encoding="utf-8") as file:
            for line in file:
                self._take(line)
        return line.endswith("\n")

    def _take(self, line: str) -> None:
        try:
            found = json.loads(line)
            name, outcome = found["name"], found["outcome"]
        except (ValueError, KeyError, TypeError):
            return  # half a line
        if outcome == Outcome.OK:
            self._done.add(name)
        elif outcome == Outcome.REFUSED:
            self._refused[name, found.get("step", 0)] += 1
