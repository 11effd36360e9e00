"""What happened to a saga: what came in, what it decided, what it asked for, what operators had it do.

The stream of an instance is its inbox and its outbox. Nothing in it is about a person but an operator's reason.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints

from domain.event import Event, PersonalData
from domain.ids import UserId

ProcessName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z-]*$")]
StepName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Facts = dict[str, JsonValue]
"""Ids, numbers and codes; nothing about a person."""


class InputKind(StrEnum):
    FACT = "FACT"  # an event of another context
    REPLY = "REPLY"  # to a command of the saga's
    TIMER = "TIMER"


class Course(StrEnum):
    """Which of its plans a saga follows."""

    FORWARD = "FORWARD"
    BACK = "BACK"  # compensation, from the last step begun to the first
    OVER = "OVER"  # what ends it after the pivot: another saga takes the order
    LATE = "LATE"  # it had ended, and money came


class Outcome(StrEnum):
    DONE = "DONE"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    HANDED_OVER = "HANDED_OVER"
    RESOLVED = "RESOLVED"  # an operator said that all is settled


class ActionKind(StrEnum):
    RETRY = "RETRY"  # what waits, failed or was parked: now
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    CANCEL = "CANCEL"  # before the pivot
    RESOLVE = "RESOLVE"  # the step that is stuck was seen to by hand
    REDELIVER = "REDELIVER"  # looks again at all that was not used


class SagaEvent(Event):
    """Base of every event of a saga."""


class SagaStarted(SagaEvent):
    """The instance for this key - an order, a return - with the definition it keeps to the end."""

    TOPIC = "sagas.saga-started"

    process: ProcessName
    definition: int = Field(ge=1)
    key: UUID


class InputReceived(SagaEvent):
    """`input_id` is the event's, command's or timer's. What is not `used` waits in the inbox and is offered again."""

    TOPIC = "sagas.input-received"

    input_id: UUID
    kind: InputKind
    name: str
    facts: Facts
    used: bool


class InputUsed(SagaEvent):
    """What had waited in the inbox."""

    TOPIC = "sagas.input-used"

    input_id: UUID


class CommandDispatched(SagaEvent):
    """Asks for `POST path` with this body, under the command's id as its idempotency key.

    Of step `number` of `of`. `aside`: the saga does not wait for it to go on.
    """

    TOPIC = "sagas.command-dispatched"

    command_id: UUID
    step: StepName
    course: Course
    number: int = Field(ge=1)
    of: int = Field(ge=1)
    attempt: int = Field(ge=1)
    path: str
    body: Facts
    aside: bool = False


class StepCompleted(SagaEvent):
    TOPIC = "sagas.step-completed"

    step: StepName
    course: Course


class StepTakenBack(SagaEvent):
    """What the step had done was undone by itself; it is to be done again."""

    TOPIC = "sagas.step-taken-back"

    step: StepName


class StepFailed(SagaEvent):
    """It is tried again at `next_at`, or not at all."""

    TOPIC = "sagas.step-failed"

    step: StepName
    course: Course
    code: str
    detail: str
    next_at: AwareDatetime | None


class TimerSet(SagaEvent):
    TOPIC = "sagas.timer-set"

    timer_id: UUID
    name: str
    due_at: AwareDatetime


class EndWished(SagaEvent):
    """The saga is to end like this, as soon as it is known what became of all it has asked for."""

    TOPIC = "sagas.end-wished"

    outcome: Outcome
    code: str


class CourseChanged(SagaEvent):
    TOPIC = "sagas.course-changed"

    course: Course
    outcome: Outcome
    code: str


class OperatorNeeded(SagaEvent):
    """The saga cannot go on by itself."""

    TOPIC = "sagas.operator-needed"

    step: StepName
    course: Course
    code: str
    detail: str


class SagaParked(SagaEvent):
    """An input made the saga's own rules fail; until that is mended everything waits."""

    TOPIC = "sagas.saga-parked"

    input_id: UUID
    error: str


class ActionTaken(SagaEvent):
    """Somebody of the shop had it do this. The reason is their own words; a service has none that are personal."""

    TOPIC = "sagas.action-taken"
    OWNER: ClassVar[str] = "by"

    action_id: UUID
    action: ActionKind
    by: UserId | None
    reason: PersonalData[str]


class SagaEnded(SagaEvent):
    TOPIC = "sagas.saga-ended"

    outcome: Outcome
    code: str


AnySagaEvent = (
    SagaStarted
    | InputReceived
    | InputUsed
    | CommandDispatched
    | StepCompleted
    | StepTakenBack
    | StepFailed
    | TimerSet
    | EndWished
    | CourseChanged
    | OperatorNeeded
    | SagaParked
    | ActionTaken
    | SagaEnded
)
