"""What became of something that was asked for: shown where it was asked, as soon as it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.responses import Response

from domain import operations
from domain.operations.operation import Operation, Status
from projections.history import AsOf, as_of
from sagas.dashboard.asking import uuid_of
from sagas.dashboard.desk import Desk
from sagas.dashboard.ticking import ticking
from sagas.dashboard.views import words
from sagas.dashboard.visit import Visit, not_there

LOOK: Final = 0.5  # seconds between looks for its outcome

TONES: Final = {
    Status.REQUESTED: "busy",
    Status.DONE: "good",
    Status.FAILED: "bad",
    Status.NO_EFFECT: "quiet",
    Status.DENIED: "bad",
}
WORDS: Final = {
    Status.REQUESTED: "requested",
    Status.DONE: "done",
    Status.FAILED: "failed",
    Status.NO_EFFECT: "no effect",
    Status.DENIED: "denied",
}


@dataclass(frozen=True, slots=True)
class Shown:
    operation: Operation
    tone: str
    word: str
    text: str


async def found(desk: Desk, id: UUID) -> Operation | None:
    state = await told(desk, id)
    return state.state if state is not None else None


async def told(desk: Desk, id: UUID) -> AsOf | None:
    """From the log, so that it is there as soon as it is asked for; with the last that it says of it."""
    return await as_of(operations.CONTEXT, desk.sealed[operations.CONTEXT.name], id)


async def asked_for(visit: Visit) -> Shown | None:
    """That which the address names as `operation`."""
    text = visit.asked("operation")
    if text is None:
        return None
    operation = await found(visit.desk, uuid_of(text, "operation"))
    return shown(operation) if operation is not None else None


def shown(operation: Operation) -> Shown:
    return Shown(operation, TONES[operation.status], WORDS[operation.status], text_of(operation))


def text_of(operation: Operation) -> str:
    if operation.status is Status.REQUESTED:
        return "A worker will do it; what comes of it is shown here."
    facts = ", ".join(f"{words(name)}: {said(value)}" for name, value in operation.result.items() if value is not None)
    return operation.explanation or facts


def said(value: object) -> str:
    """As a person says it: yes for true, and no shouting."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return words(value) if isinstance(value, str) and value.isupper() else str(value)


async def live(visit: Visit) -> Response:
    id = uuid_of(visit.request.path_params["id"], "operation")
    if await found(visit.desk, id) is None:
        raise not_there("operation", id)

    async def fragment() -> str:
        operation = await found(visit.desk, id)
        return visit.html("operation_said.html", asked=shown(operation) if operation else None)

    return ticking(fragment, visit.desk.stopping, LOOK)
