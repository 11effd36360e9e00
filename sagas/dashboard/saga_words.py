"""How a saga's state is said: a word, and a tone that gives it its glyph and colour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.sagas.events import Course, Outcome
from domain.sagas.saga import Status
from projections.sagas.queries import Usual, age, is_slow
from projections.sagas.row import SagaLine, WaitsFor

TONES: Final = {
    Status.RUNNING: "busy",
    Status.COMPENSATING: "back",
    Status.STUCK: "bad",
    Status.COMPENSATION_FAILED: "bad",
    Status.PARKED: "bad",
}
WORDS: Final = {
    Status.RUNNING: "running",
    Status.COMPENSATING: "compensating",
    Status.STUCK: "stuck",
    Status.COMPENSATION_FAILED: "compensation failed",
    Status.PARKED: "parked",
}
ENDS: Final = {
    Outcome.DONE: "good",
    Outcome.REJECTED: "quiet",
    Outcome.EXPIRED: "quiet",
    Outcome.CANCELLED: "quiet",
    Outcome.HANDED_OVER: "quiet",
    Outcome.RESOLVED: "good",
}
WAITS: Final = {
    WaitsFor.NOTHING: "nothing",
    WaitsFor.START: "waits for more to begin with",
    WaitsFor.REPLY: "waits for its answer",
    WaitsFor.FACT: "waits for the outcome",
    WaitsFor.RETRY: "tried again",
    WaitsFor.OPERATOR: "waits for an operator",
}
COURSES: Final = {
    Course.FORWARD: "going forward",
    Course.BACK: "taking back what was done",
    Course.OVER: "past its pivot, ending another way",
    Course.LATE: "giving back late money",
}


WAYS: Final = {Course.FORWARD: "", Course.BACK: "back ", Course.OVER: "ending ", Course.LATE: "late money "}


@dataclass(frozen=True, slots=True)
class Said:
    word: str
    tone: str


def said_of(status: Status, outcome: Outcome | None, *, paused: bool) -> Said:
    if outcome is not None and status is Status.ENDED:
        return Said(outcome.replace("_", " ").lower(), ENDS[outcome])
    word = WORDS.get(status, status.lower())
    return Said(f"{word}, paused", "wait") if paused else Said(word, TONES.get(status, "quiet"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the list. `share` is its age as a part of what 95 % of its kind take."""

    row: SagaLine
    said: Said
    age: float
    usual: float | None
    slow: bool
    root: str | None = None
    """Why it left its way, where what it met since then is something else."""

    @property
    def way(self) -> str:
        """Before which step of how many, where these are not the ones of the way out."""
        return WAYS[self.row.course]

    @property
    def id(self) -> str:
        return str(self.row.id)

    @property
    def share(self) -> float | None:
        return self.age / self.usual if self.usual else None

    @property
    def why(self) -> str:
        """Why it is here, in a line."""
        row = self.row
        if row.status is Status.ENDED:
            return row.code or ""
        if row.paused:
            return "paused by an operator"
        return "" if row.code and row.waits_for is WaitsFor.OPERATOR else WAITS[row.waits_for]

    @property
    def money(self) -> int:
        return self.row.held + self.row.captured - self.row.refunded

    @property
    def goods(self) -> int:
        return self.row.reserved - self.row.committed - self.row.released


def shown(row: SagaLine, takes: Usual, now: datetime, root: str | None = None) -> Shown:
    usual = takes[row.process][1] if row.process in takes else None
    said = said_of(row.status, row.outcome, paused=row.paused)
    return Shown(row, said, age(row, now), usual, is_slow(row, takes, now), root)
