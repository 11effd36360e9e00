"""What a benchmark prints: one JSON object a line on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. `ceiling` was measured in the same run; `goal` is for ratio = value / ceiling where there is
    a ceiling, else for the value."""

    bench: str
    case: str
    value: float
    unit: str  # "1/s", "ms", "MB", or "ratio" for shares
    ceiling: float | None = None
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.ceiling else self.value / self.ceiling

    def show(self) -> None:
        row = {
            "bench": self.bench,
            "case": self.case,
            "value": round(self.value, 3),
            "unit": self.unit,
            "ceiling": None if self.ceiling is None else round(self.ceiling, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "goal": self.goal,
        }
        print(json.dumps(row), flush=True)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
