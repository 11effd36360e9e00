"""What somebody of the shop had done, why, and what came of it; and what somebody was refused."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import JsonValue, StringConstraints

from domain.event import JSON, Event, PersonalData
from domain.ids import UserId

KindName = Annotated[str, StringConstraints(min_length=3, max_length=64, pattern=r"^[a-z][a-z-]*\.[a-z][a-z-]*$")]
Target = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""What it is done to: an id, or the name of a read model or context."""

Facts = dict[str, JsonValue]
"""Nothing about a person: these are never sealed."""


class OperationEvent(Event):
    """Base of every event of an operation."""


class Asked(OperationEvent):
    """Base of the events by which an operation begins.

    The reason is somebody's own words: sealed for the user who gave it, as it is where a service did (`by` is None).
    """

    OWNER: ClassVar[str] = "by"

    by: UserId | None
    kind: KindName
    target: Target
    parameters: Facts
    reason: PersonalData[str]


class OperationRequested(Asked):
    """It is to be carried out: a to-do follows."""

    TOPIC = "operations.operation-requested"


class OperationBegun(Asked):
    """Who recorded it carries it out at once, as tools do that work on the databases themselves."""

    TOPIC = "operations.operation-begun"


class OperationCompleted(OperationEvent):
    TOPIC = "operations.operation-completed"

    result: Facts


class OperationFailed(OperationEvent):
    """It was tried and could not be done."""

    TOPIC = "operations.operation-failed"

    error: str


class OperationWithoutEffect(OperationEvent):
    """There was nothing (left) to do."""

    TOPIC = "operations.operation-without-effect"

    why: str


class ActionDenied(OperationEvent):
    """Somebody who was recognised asked for what was not done: `action` is the kind it would have been.

    `why` says what was missing: a role, or a form of the dashboard's own, or having looked at how things are now.
    """

    TOPIC = "operations.action-denied"
    class_version = 2

    by: UserId | None
    action: KindName
    target: Target
    why: str

    @staticmethod
    def upcast_v1_v2(state: JSON) -> None:
        """v1 knew of one reason only."""
        state["why"] = f"needs the scope {state.pop('scope')}"


Outcome = OperationCompleted | OperationFailed | OperationWithoutEffect
AnyOperationEvent = OperationRequested | OperationBegun | Outcome | ActionDenied
