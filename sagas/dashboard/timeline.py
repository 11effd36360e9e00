"""All that happened to a saga, in order, with the time in which nothing did folded up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from domain.event import Event
from domain.sagas.events import (
    ActionTaken,
    CommandDispatched,
    Course,
    CourseChanged,
    EndWished,
    InputKind,
    InputReceived,
    InputUsed,
    OperatorNeeded,
    SagaEnded,
    SagaParked,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepTakenBack,
    TimerSet,
)
from projections.feed import Recorded, Unreadable
from projections.history import plain

IDLE: Final = 5.0
"""Seconds without an event that are worth a line of their own."""

HIDDEN: Final = "(personal)"
KINDS: Final = {InputKind.FACT: "heard", InputKind.REPLY: "answered", InputKind.TIMER: "time came"}
COURSES: Final = {
    Course.FORWARD: "it goes forward again",
    Course.BACK: "what was done is taken back",
    Course.OVER: "it is past its pivot and ends another way",
    Course.LATE: "late money is given back",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """`idle`: seconds in which nothing happened before it, if they are many. `body` is the whole event as JSON."""

    recorded: Recorded
    what: str
    said: str
    tone: str
    idle: float | None
    body: str

    @property
    def event(self) -> Event:
        return self.recorded.event


def timeline(recorded: Sequence[Recorded]) -> list[Entry]:
    entries, before = [], None
    for each in recorded:
        gap = (each.event.timestamp - before).total_seconds() if before else 0.0
        what, said, tone = words(each.event)
        entries.append(Entry(each, what, said, tone, gap if gap > IDLE else None, body(each.event)))
        before = each.event.timestamp
    return entries


def body(event: Event) -> str:
    """Without where it stands; what is personal and cannot be read here is marked."""
    said = {name: value for name, value in plain(event, erased=HIDDEN).items() if name not in Event.model_fields}
    return to_json(said, indent=2).decode()


def words(event: Any) -> tuple[str, str, str]:
    """What happened, what was said of it, and its tone."""
    match event:
        case SagaStarted():
            return "started", f"{event.process}, definition {event.definition}", "quiet"
        case InputReceived():
            kept = "" if event.used else ", kept in the inbox"
            tone = "bad" if event.name == "refused" else "quiet"
            name = timer(event.name) if event.kind is InputKind.TIMER else event.name
            return KINDS[event.kind], f"{name} {code_in(event)}".strip() + kept, tone
        case InputUsed():
            return "used", "what had waited in the inbox", "quiet"
        case CommandDispatched():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            return "asked", f"{event.step}{again}: POST {event.path}", "busy"
        case StepCompleted():
            return "completed", event.step, "good"
        case StepTakenBack():
            return "taken back", event.step, "back"
        case StepFailed():
            return "failed", f"{event.step}: {event.code} {event.detail}".strip(), "bad"
        case TimerSet():
            return "timer set", f"{timer(event.name)}, at {event.due_at:%H:%M:%S}", "quiet"
        case EndWished():
            return "is to end", f"as {event.outcome.lower()}: {event.code}", "back"
        case CourseChanged():
            return "turned", f"{COURSES[event.course]}, because of {event.code}", "back"
        case OperatorNeeded():
            return "needs a person", f"{event.step}: {event.code} {event.detail}".strip(), "bad"
        case SagaParked():
            return "parked", event.error, "bad"
        case ActionTaken():
            return event.action.lower(), "by an operator" if event.by else "by a service", "wait"
        case SagaEnded():
            return "ended", f"as {event.outcome.lower()} {event.code}".strip(), "good"
        case Unreadable():
            return "cannot be read", f"{event.topic}: {event.reason}", "bad"
        case _:
            return event.TOPIC.partition(".")[2], "", "quiet"


def timer(name: str) -> str:
    """`retry/capture payment/2` as a person says it."""
    kind, _, rest = name.partition("/")
    step, _, attempt = rest.rpartition("/")
    match kind:
        case "retry":
            return f"{step or rest} is tried again{f' after attempt {attempt}' if step else ''}"
        case "late":
            return f"{step or rest} runs out"
        case "hold":
            return "the goods are held no longer"
        case _:
            return name


def code_in(event: InputReceived) -> str:
    """A status that says nothing is left out."""
    found = str(event.facts.get("code") or event.facts.get("status") or "")
    return "" if found == "NONE" else found
