"""What came of an action: it was requested, and then was done, failed, or had no effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from uuid import UUID

from domain.sagas.events import (
    ActionKind,
    ActionTaken,
    CommandDispatched,
    OperatorNeeded,
    SagaEnded,
    SagaParked,
    StepCompleted,
    StepFailed,
)
from projections.feed import Recorded


@dataclass(frozen=True, slots=True)
class CameOfIt:
    """`word` is requested, done, failed or no effect."""

    word: str
    tone: str
    text: str


def came_since(recorded: Sequence[Recorded], action_id: UUID) -> CameOfIt:
    """Of an action that was asked for, as far as it is known by now; `recorded` are the events from some version on."""
    at = next((n for n, each in enumerate(recorded) if taken(each.event, action_id)), None)
    if at is None:
        return CameOfIt("no effect", "wait", "It was asked for, but the saga has not taken it.")
    action: Any = recorded[at].event
    then = [each.event for each in recorded[at + 1 :]]
    at_once = list(takewhile(lambda event: not isinstance(event, ActionTaken), then))
    if parked := next((event for event in at_once if isinstance(event, SagaParked)), None):
        return CameOfIt("failed", "bad", f"Its rules failed again: {parked.error}")
    sent = next((event for event in at_once if isinstance(event, CommandDispatched)), None)
    if sent is None or action.action in (ActionKind.PAUSE, ActionKind.RESUME):
        end = next((event.outcome for event in then if isinstance(event, SagaEnded)), None)
        ended = f" It ended as {end.lower()}." if end else ""
        return CameOfIt("done", "good", f"{action.action.capitalize()} was done.{ended}")
    return outcome(sent, then)


def outcome(sent: CommandDispatched, then: Sequence[Any]) -> CameOfIt:
    """What was heard first of the command that the action had sent, whatever was asked for later."""
    for event in then[then.index(sent) :]:
        match event:
            case StepFailed(step=sent.step) | OperatorNeeded(step=sent.step):
                text = f"“{sent.step}” was asked for again and met {event.code}. {event.detail}"
                return CameOfIt("failed", "bad", text.strip())
            case StepCompleted(step=sent.step) | SagaEnded():
                return CameOfIt("done", "good", f"“{sent.step}” was asked for, and is done.")
            case _:
                pass
    return CameOfIt("requested", "busy", f"“{sent.step}” was asked for at {sent.timestamp:%H:%M:%S}; no answer yet.")


def taken(event: Any, action_id: UUID) -> bool:
    return isinstance(event, ActionTaken) and event.action_id == action_id


def asked_for(text: str | None, recorded: Sequence[Recorded]) -> CameOfIt | None:
    """Of the action that the address names, if it names one."""
    if text is None:
        return None
    try:
        return came_since(recorded, UUID(text))
    except ValueError:
        return None
