"""The lines of a JSON Lines or CSV file, one at a time."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

KINDS: Final = (".csv", ".jsonl", ".ndjson")


class UnknownFormat(Exception):
    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} is neither CSV nor JSON Lines: its name must end in {', '.join(KINDS)}")


class BadLine(Exception):
    """A line that cannot be a command; says what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True)
class Line:
    """`fields` are the line's by name, a `fault` stands where there are none.

    `name` is the same whenever this very line is read, wherever it stands in the file: what it says, and how often it
    came before.
    """

    number: int
    fields: Mapping[str, Any]
    fault: str
    name: str


def read(path: Path) -> Iterator[Line]:
    """Empty lines are passed over. Raises UnknownFormat, OSError."""
    if path.suffix.lower() not in KINDS:
        raise UnknownFormat(path)
    seen: Counter[bytes] = Counter()
    for number, fields, fault, content in _csv(path) if path.suffix.lower() == ".csv" else _json(path):
        digest = sha256(content.encode()).digest()[:16]
        yield Line(number, fields, fault, f"{digest.hex()}-{seen[digest]}")
        seen[digest] += 1


Found = tuple[int, Mapping[str, Any], str, str]


def _json(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                fields = json.loads(raw)
            except ValueError as error:
                yield number, {}, f"not JSON: {error}", raw.decode(errors="replace")
                continue
            if not isinstance(fields, dict):
                yield number, {}, "not a JSON object", raw.decode()
                continue
            yield number, fields, "", json.dumps(fields, sort_keys=True)


def _csv(path: Path) -> Iterator[Found]:
    """The first line names the columns; an empty cell says nothing."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        rows = iter(reader)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except (csv.Error, UnicodeDecodeError) as error:
                yield reader.line_num, {}, f"not CSV: {error}; the rest was not read", str(reader.line_num)
                return
            extra = row.pop(None, None)  # where csv puts what has no column
            fields = {name: value.strip() for name, value in row.items() if value is not None and value.strip()}
            fault = f"more cells than columns: {extra}" if extra else ""
            yield reader.line_num, {} if fault else fields, fault, json.dumps(row, sort_keys=True)
