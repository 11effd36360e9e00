"""Charts as shapes in a box of 600 by 100: drawn by the macro `chart`, with the same numbers in a table beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 600
HEIGHT: Final = 100
STEPS: Final = (1, 2, 2.5, 5, 10)
"""What the end of a scale may be, in its decade."""

TIMES: Final = (1, 2, 4, 10, 20, 40, 60, 120, 240, 600, 1200, 2400, 3600, 7200, 14_400, 28_800, 43_200, 86_400)

Say = Callable[[float], str]


def nice(value: float) -> float:
    """The end of a scale on which the value fits."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** floor(log10(value))
    return next(step * decade for step in STEPS if step * decade >= value - 1e-12)


def nice_time(seconds: float) -> float:
    """The same for seconds: a round number of seconds, minutes or hours, of which half is round as well."""
    if seconds <= TIMES[0] or seconds > TIMES[-1]:
        return nice(seconds)
    return next(float(end) for end in TIMES if end >= seconds)


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each stretch of time; None where there is none. `tone` is its colour."""

    name: str
    tone: str
    values: Sequence[float | None]

    @property
    def last(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


@dataclass(frozen=True, slots=True)
class Chart:
    """`starts` are the beginnings of the stretches, `say` writes a value, `kind` is `bars` or `steps`."""

    title: str
    kind: str
    starts: Sequence[datetime]
    series: Sequence[Series]
    say: Say
    ends: Callable[[float], float] = nice
    """Where the scale ends on which a value fits."""

    @property
    def top(self) -> float:
        return self.ends(max((v for s in self.series for v in s.values if v is not None), default=0.0))

    @property
    def marks(self) -> list[str]:
        """What stands beside the scale, from the top."""
        return [self.say(self.top), self.say(self.top / 2), self.say(0)]

    @property
    def times(self) -> list[datetime]:
        """What stands below: four moments at equal distances."""
        if not self.starts:
            return []
        return [self.starts[len(self.starts) * n // 4] for n in range(4)]

    @property
    def is_empty(self) -> bool:
        return all(value is None for s in self.series for value in s.values)

    def bars(self, series: Series) -> list[tuple[float, float, float, float]]:
        """x, y, width and height of each."""
        wide = WIDTH / max(1, len(series.values))
        return [
            (round(n * wide + wide * 0.12, 1), round(self.y(value), 1), round(wide * 0.76, 1),
             round(HEIGHT - self.y(value), 1))
            for n, value in enumerate(series.values)
            if value
        ]  # fmt: skip

    def path(self, series: Series) -> str:
        """Steps, so that a stretch without neighbours can be seen too; broken where nothing is known."""
        wide, found, before = WIDTH / max(1, len(series.values)), [], False
        for n, value in enumerate(series.values):
            if value is not None:
                start = f"{'L' if before else 'M'}{round(n * wide, 1)} {round(self.y(value), 1)}"
                found.append(f"{start}H{round((n + 1) * wide, 1)}")
            before = value is not None
        return "".join(found)

    def y(self, value: float) -> float:
        return HEIGHT - value / self.top * HEIGHT

    def rows(self) -> list[tuple[datetime, list[str]]]:
        """For the table, the newest first, without stretches of which nothing is known."""
        lines = [(at, [s.values[n] for s in self.series]) for n, at in enumerate(self.starts)]
        known = [(at, values) for at, values in lines if any(value is not None for value in values)]
        return [(at, ["" if v is None else self.say(v) for v in values]) for at, values in reversed(known)]

    @property
    def sentence(self) -> str:
        """For who does not see it."""
        said = ", ".join(f"{s.name} {self.say(s.last)}" for s in self.series if s.last is not None)
        return f"{self.title}: {said or 'nothing to show'}; the scale ends at {self.say(self.top)}"


def whole(value: float) -> str:
    return f"{value:,.0f}" if value == ceil(value) else f"{value:,.1f}"
