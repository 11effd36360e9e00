"""Why a saga stands where it stands, what it waits for and what comes next: from its state and its definition alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.sagas.events import Course
from domain.sagas.saga import Saga, Status
from sagas.definition import Definition, Step

COURSES = {
    Course.FORWARD: "goes forward",
    Course.BACK: "goes back",
    Course.OVER: "ends after its pivot",
    Course.LATE: "gives back money that came late",
}


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step of the present plan. `state` is DONE, CURRENT, TO_COME or LEFT_OUT."""

    name: str
    state: str
    pivot: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """`sentence` says it all in words; the rest is the same for programs."""

    sentence: str
    waits_for: str
    since: datetime
    next_at: datetime | None
    next_step: str | None
    steps: Sequence[StepShown]


def explained(saga: Saga, definition: Definition, now: datetime) -> Explanation:
    plan = definition.plan(saga)
    waits, next_at = waiting(saga, definition)
    since = saga.ended_at or saga.since or saga.started_at
    return Explanation(
        sentence=" ".join(sentences(saga, definition, waits, since, next_at, now)),
        waits_for=waits,
        since=since,
        next_at=next_at,
        next_step=following(saga, definition),
        steps=[StepShown(step.name, state_of(saga, step), step.pivot, saga.times(step.name)) for step in plan],
    )


def state_of(saga: Saga, step: Step) -> str:
    if step.name in saga.done:
        return "DONE"
    if step.name == saga.step:
        return "CURRENT"
    return "LEFT_OUT" if saga.ended or step.skip(saga) else "TO_COME"


def waiting(saga: Saga, definition: Definition) -> tuple[str, datetime | None]:
    """For what, in a few words, and until when at most, if that is known."""
    if saga.parked is not None:
        return f"its rules to be mended: {saga.parked}", None
    if saga.ended:
        return "nothing", None
    if saga.paused:
        return "an operator to resume it", None
    if saga.stuck:
        return "an operator", None
    if saga.trouble is not None and saga.trouble.next_at is not None:
        return "its next try", saga.trouble.next_at
    if saga.step is None:
        return "more to be told before it can begin", None
    if saga.current in saga.asked:
        return "the answer to its command", None
    return "what comes of its command", deadline(saga)


def deadline(saga: Saga) -> datetime | None:
    return min(saga.timers.values(), default=None)


def following(saga: Saga, definition: Definition) -> str | None:
    """The step behind the present one, if all goes well."""
    names = [step.name for step in definition.plan(saga) if step.name not in saga.done and not step.skip(saga)]
    rest = names[names.index(saga.step) + 1 :] if saga.step in names else names
    return None if saga.ended or not rest else rest[0]


def sentences(
    saga: Saga, definition: Definition, waits: str, since: datetime, next_at: datetime | None, now: datetime
) -> list[str]:
    name = f"{saga.process.capitalize()} of {saga.key}"
    if saga.ended:
        why = f" ({saga.wish.code})" if saga.wish is not None and saga.wish.code else ""
        return [f"{name} ended as {saga.outcome}{why} {ago(now - since)}."]
    said = [f"{name} {COURSES[saga.course]}{because(saga)}."]
    if saga.step is not None:
        tried = f", attempt {saga.times(saga.step)}" if saga.times(saga.step) > 1 else ""
        said.append(f"It is at “{saga.step}”{tried}, begun {ago(now - since)}.")
    if saga.trouble is not None:
        said.append(f"That met {saga.trouble.code}: {saga.trouble.detail or 'no more was said'}.")
    said.append(f"It waits for {waits}{'' if next_at is None else f', at the latest {until(next_at - now)}'}.")
    if saga.wish is not None and saga.course is Course.FORWARD:
        said.append(f"It is to end as {saga.wish.outcome} ({saga.wish.code}) once every answer is known.")
    elif (step := following(saga, definition)) is not None and saga.status is Status.RUNNING:
        said.append(f"Then comes “{step}”.")
    return said


def because(saga: Saga) -> str:
    return f" because of {saga.wish.code}" if saga.wish is not None and saga.course is not Course.FORWARD else ""


def ago(passed: timedelta) -> str:
    return f"{lasting(passed)} ago"


def until(left: timedelta) -> str:
    return f"in {lasting(left)}" if left > timedelta() else "now"


def lasting(time: timedelta) -> str:
    """In the largest unit that says something."""
    seconds = max(0, int(time.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
