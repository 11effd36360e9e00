"""A saga as a boomerang: its steps go out to the right, and what takes them back comes home below.

Lanes are the contexts that the steps ask. All places are computed here; the template only draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from domain.sagas.events import Course
from domain.sagas.saga import Saga
from sagas.definition import Definition, Step
from sagas.runs import Run

CONTEXTS: Final = {"reservations": "products", "restocks": "products", "stock": "products", "payments": "payments",
                   "orders": "orders"}  # fmt: skip
"""Whose collection a command's path names."""
NO_TIMES: Final[Mapping[str, float]] = MappingProxyType({})

LEFT, COLUMN, LANE, BOX_W, BOX_H, GAP, TOP = 72, 151, 56, 132, 46, 34, 8


@dataclass(frozen=True, slots=True)
class Box:
    """A step at its place. `tone` says what became of it, `note` the same in words.

    `place` is that of the step in the table, to which it leads. `took` and `usual` are seconds.
    """

    step: str
    lane: str
    x: float
    y: float
    tone: str
    note: str
    attempts: int
    pivot: bool
    took: float | None
    usual: float | None
    place: int = 0

    @property
    def slow(self) -> bool:
        """Far beyond what half of the healthy ones took."""
        return bool(self.took and self.usual and self.took > max(3 * self.usual, 1.0))

    @property
    def lines(self) -> list[str]:
        """The name on at most two lines."""
        words, first = self.step.split(), ""
        while words and len(f"{first} {words[0]}") <= 16:
            first = f"{first} {words.pop(0)}".strip()
        return [line for line in (first, " ".join(words)) if line]


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    lanes: Sequence[Lane]
    boxes: Sequence[Box]
    went: Sequence[str]
    """Paths of SVG for the ways that were gone."""
    to_go: Sequence[str]
    back_from: float | None
    """Where the half begins in which it comes back."""
    break_at: tuple[float, float] | None
    """Where it turned or stands: what is unpaid or not returned is said there."""


def drawing(saga: Saga, definition: Definition, runs: Sequence[Run], usual: Mapping[str, float] = NO_TIMES) -> Drawing:
    """`usual`: seconds that half of the healthy ones took at most, by step."""
    by_step = {(run.course, run.step): run for run in runs}
    out = [one(saga, step, by_step.get((Course.FORWARD, step.name)), Course.FORWARD) for step in definition.steps]
    home = way_home(saga, definition, by_step)
    upper, lower = lanes_of(out), lanes_of(home)
    back = columns(home, out)
    first = min([0, *back])
    placed_out = [placed(part, number - first, upper, TOP) for number, part in enumerate(out)]
    top = TOP + len(upper) * LANE + GAP
    placed_home = [placed(part, at - first, lower, top) for part, at in zip(home, back, strict=True)]
    boxes = [
        replace(box, place=place, usual=usual.get(box.step))
        for place, box in enumerate([*placed_out, *placed_home], 1)
    ]  # fmt: skip
    went, to_go = ways(placed_out, placed_home)
    return Drawing(
        width=LEFT + (len(out) - first) * COLUMN + 4,
        height=(top + len(lower) * LANE if home else top - (0 if has_broken(boxes) else GAP)) + TOP,
        lanes=[*drawn_lanes(upper, TOP), *drawn_lanes(lower, top)],
        boxes=boxes,
        went=went,
        to_go=to_go,
        back_from=top - GAP / 2 if home else None,
        break_at=break_of(placed_out, top) if has_broken(boxes) else None,
    )


def has_broken(boxes: Sequence[Box]) -> bool:
    return any(box.tone == "bad" for box in boxes)


def break_of(out: Sequence[Box], top: float) -> tuple[float, float]:
    """Below the last step out that was begun."""
    begun = [box for box in out if box.attempts]
    return (begun[-1] if begun else out[0]).x + BOX_W, top - GAP / 2 + 4


def lanes_of(parts: Sequence[Part]) -> list[str]:
    return [name for name in ("orders", "products", "payments") if any(part.lane == name for part in parts)]


def drawn_lanes(names: Sequence[str], top: float) -> list[Lane]:
    return [Lane(name, top + number * LANE) for number, name in enumerate(names)]


# -- what there is to draw ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    step: Step
    lane: str
    tone: str
    note: str
    attempts: int
    took: float | None


def way_home(saga: Saga, definition: Definition, by_step: dict[tuple[Course, str], Run]) -> list[Part]:
    """What was or is to be done on other courses, and what was taken back aside; nothing while it goes forward."""
    parts = [
        one(saga, step, by_step[course, step.name], course)
        for course, step in elsewhere(saga, definition)
        if (course, step.name) in by_step
    ]
    if saga.course is Course.FORWARD:
        return parts
    seen = {part.step.name for part in parts}
    plan = [step for step in definition.plan(saga) if step.name not in seen]
    return [*parts, *(one(saga, step, None, saga.course) for step in plan)]


def elsewhere(saga: Saga, definition: Definition) -> list[tuple[Course, Step]]:
    """Every step but those out, with the course it may be on, in the order of the way home."""
    undone = [step.undo for step in reversed(definition.steps) if step.undo is not None]
    return [
        *((Course.FORWARD, step) for step in undone),  # what was taken back aside
        *((Course.BACK, step) for step in undone),
        *([(Course.BACK, definition.close)] if definition.close else []),
        *((Course.OVER, step) for step in definition.over),
        *((Course.LATE, step) for step in definition.late),
    ]


def one(saga: Saga, step: Step, run: Run | None, course: Course) -> Part:
    tone, note = became(saga, step, run, course)
    attempts = len(run.attempts) if run else 0
    return Part(step, lane_of(saga, step, run), tone, note, attempts, run.took if run else None)


def became(saga: Saga, step: Step, run: Run | None, course: Course) -> tuple[str, str]:
    if run is None:
        left_out = saga.ended or course is not saga.course or step.skip(saga)
        return ("left-out", "not needed") if left_out else ("to-come", "to come")
    if run.taken_back:
        return "back", "taken back"
    if run.completed_at is not None:
        return "good" if course is Course.FORWARD else "back", "done"
    if run.needs_operator:
        return "bad", run.failed
    if saga.step == run.step and saga.course is course:
        return ("bad", run.failed) if run.failed else ("busy", "under way")
    return ("bad", run.failed) if run.failed else ("left-out", "left")


def lane_of(saga: Saga, step: Step, run: Run | None) -> str:
    if run is not None and run.attempts:
        return context_of(run.attempts[-1].path)
    try:
        return context_of(step.ask(saga, 1).path)
    except Exception:  # noqa: BLE001  # it cannot be asked yet: what it needs to know is not known
        return "orders"


def context_of(path: str) -> str:
    return CONTEXTS.get(path.split("/")[2], "orders")


# -- where -------------------------------------------------------------------------------------------------------------


def placed(part: Part, column: int, lanes: Sequence[str], top: float) -> Box:
    x, y = LEFT + column * COLUMN, top + lanes.index(part.lane) * LANE + (LANE - BOX_H) / 2
    return Box(part.step.name, part.lane, x, y, part.tone, part.note, part.attempts, part.step.pivot, part.took, None)


def columns(home: Sequence[Part], out: Sequence[Part]) -> list[int]:
    """Each below what it takes back, else to the left of what came before it: further left than the way out began."""
    begun = [number for number, part in enumerate(out) if part.attempts]
    undone = {part.step.undo.name: number for number, part in enumerate(out) if part.step.undo is not None}
    found: list[int] = []
    at = (begun[-1] if begun else 0) + 1
    for part in home:
        under = undone.get(part.step.name)
        at = under if under is not None and under < at else at - 1
        found.append(at)
    return found


def ways(out: Sequence[Box], home: Sequence[Box]) -> tuple[list[str], list[str]]:
    went: list[str] = []
    to_go: list[str] = []
    for before, after in pairwise(out):
        (went if after.attempts else to_go).append(across(before, after))
    begun = [box for box in out if box.attempts]
    if home and begun:
        (went if home[0].attempts else to_go).append(round_the_bend(begun[-1], home[0]))
    for before, after in pairwise(home):
        (went if after.attempts else to_go).append(across(after, before))
    return went, to_go


def across(left: Box, right: Box) -> str:
    x1, y1, x2, y2 = left.x + BOX_W, left.y + BOX_H / 2, right.x, right.y + BOX_H / 2
    middle = (x1 + x2) / 2
    return f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"


def round_the_bend(last: Box, first: Box) -> str:
    """Out of the right side of the last step, down, and into the right side of the first one that takes back."""
    x1, y1, x2, y2 = last.x + BOX_W, last.y + BOX_H / 2, first.x + BOX_W, first.y + BOX_H / 2
    far = max(x1, x2) + 22
    return f"M{x1:g} {y1:g}C{far:g} {y1:g} {far:g} {y2:g} {x2:g} {y2:g}"
