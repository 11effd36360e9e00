"""What came of an action: it was requested, and then was done, failed, or had no effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.sagas.events import (
    ActionKind,
    ActionTaken,
    CommandDispatched,
    OperatorNeeded,
    SagaEnded,
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
    sent = [event for event in then if isinstance(event, CommandDispatched)]
    if not sent or action.action in (ActionKind.PAUSE, ActionKind.RESUME):
        outcome = next((event.outcome for event in then if isinstance(event, SagaEnded)), None)
        ended = f" It ended as {outcome.lower()}." if outcome else ""
        return CameOfIt("done", "good", f"{action.action.capitalize()} was done.{ended}")
    step = sent[0].step
    if failed := next((e for e in then if isinstance(e, StepFailed | OperatorNeeded) and e.step == step), None):
        return CameOfIt("failed", "bad", f"“{step}” was asked for again and met {failed.code}. {failed.detail}".strip())
    if any((isinstance(e, StepCompleted) and e.step == step) or isinstance(e, SagaEnded) for e in then):
        return CameOfIt("done", "good", f"“{step}” was asked for, and is done.")
    return CameOfIt("requested", "busy", f"“{step}” was asked for at {sent[0].timestamp:%H:%M:%S}; no answer yet.")


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
