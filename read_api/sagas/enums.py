"""The words of a saga, and what they mean."""

from __future__ import annotations

from enum import Enum

from domain.sagas.events import Course, Outcome
from domain.sagas.saga import Status
from projections.sagas.row import WaitsFor
from read_api.described import described

__all__ = ["Course", "Outcome", "SagaStepState", "Status", "WaitsFor"]

described(
    Status,
    "Where a saga is in its life.",
    name="SagaStatus",
    RUNNING="It goes forward.",
    COMPENSATING="It undoes what was done.",
    STUCK="Going forward it needs an operator.",
    COMPENSATION_FAILED="Going back it needs an operator.",
    PARKED="Its own rules failed.",
    ENDED="It has ended.",
)


described(
    Course,
    "Which of its plans a saga follows.",
    name="SagaCourse",
    FORWARD="Its steps, to its end.",
    BACK="From the last step begun to the first, undoing them.",
    OVER="What ends it after its pivot: another saga takes the order.",
    LATE="It had ended, and money came.",
)


described(
    Outcome,
    "How a saga ended.",
    name="SagaOutcome",
    DONE="It did all it was for.",
    REJECTED="It could not be done, and was undone.",
    EXPIRED="It took too long, and was undone.",
    CANCELLED="It was not wanted any more, and was undone.",
    HANDED_OVER="Another saga took over.",
    RESOLVED="An operator said that all is settled.",
)


described(
    WaitsFor,
    "What has to come before a saga goes on.",
    name="SagaWaitsFor",
    NOTHING="It has ended.",
    START="It has not heard enough to begin.",
    REPLY="The answer to its command.",
    FACT="What comes of its command.",
    RETRY="Its next try, which it makes by itself.",
    OPERATOR="An operator.",
)


class SagaStepState(Enum):
    DONE = "DONE"
    CURRENT = "CURRENT"
    TO_COME = "TO_COME"
    LEFT_OUT = "LEFT_OUT"


described(
    SagaStepState,
    "Where a step of a saga's present plan is.",
    DONE="It is done.",
    CURRENT="It is being done.",
    TO_COME="It comes later.",
    LEFT_OUT="It is not needed.",
)
