"""Having a saga do something: what it would cause is shown first, then it is asked for, then its outcome is told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.responses import Response

from domain.errors import DomainError
from domain.sagas.events import ActionKind
from sagas.dashboard.actions import IRREVERSIBLE, MEANINGS
from sagas.dashboard.asking import MOVED_ON, version_of
from sagas.dashboard.one_saga import story
from sagas.dashboard.port import Answered
from sagas.dashboard.saga_words import said_of
from sagas.dashboard.stories import Untold
from sagas.dashboard.visit import Refused, Visit
from sagas.engine import Engine
from sagas.processes import PROCESSES
from sagas.story import Story
from sagas.what_if import WhatIf, what_if

ENGINE = Engine(PROCESSES)


async def preview(visit: Visit) -> Response:
    """What it would cause, and the form that asks for it."""
    kind, found = kind_of(visit), await whole(visit)
    try:
        would = what_if(ENGINE, found.saga, kind, visit.desk.now())
    except DomainError as error:
        raise Refused(HTTPStatus.CONFLICT, f"{kind.capitalize()} is not possible", error.detail) from None
    return visit.page("saga_act.html", **shown(found, kind, would))


def shown(found: Story, kind: ActionKind, would: WhatIf) -> dict[str, Any]:
    saga = found.saga
    return {
        "saga": saga,
        "action": kind.lower(),
        "meaning": MEANINGS[kind],
        "would": would,
        "now": said_of(saga.status, saga.outcome, paused=saga.paused),
        "after": said_of(would.status, would.outcome, paused=kind is ActionKind.PAUSE),
        "typed": kind.lower() if kind in IRREVERSIBLE else None,
    }


async def act(visit: Visit) -> Response:
    """Through the command API, which asks for roles and the version again, and records it."""
    kind, id = kind_of(visit), visit.request.path_params["id"]
    version, reason = version_of(visit), visit.posted("reason")
    if not reason:
        raise Refused(HTTPStatus.BAD_REQUEST, "It takes a reason", "Say why: it is recorded for good.")
    if kind in IRREVERSIBLE and visit.posted("typed").lower() != kind.lower():
        raise Refused(
            HTTPStatus.BAD_REQUEST, "It was not confirmed", f"Type {kind.lower()} to confirm: it cannot be taken back."
        )
    action_id = uuid_of(visit.posted("key"))
    answer = await asked(visit, id, kind, action_id, reason, version)
    if not answer.done:
        await refuse(visit, kind, id, answer)
    return visit.go(f"/sagas/{id}", acted=str(action_id))


async def asked(visit: Visit, id: UUID | str, kind: ActionKind, action_id: UUID, reason: str, version: int) -> Answered:
    body = {"actionId": str(action_id), "reason": reason}
    return await visit.post(f"/v1/sagas/{id}/{kind.lower()}", body, key=str(action_id), version=version)


async def refuse(visit: Visit, kind: ActionKind, id: UUID, answer: Answered) -> None:
    """Raises Refused."""
    await note(visit, kind, id, answer)
    title, text = why(answer)
    raise Refused(answer.status, title, text, back=f"/sagas/{id}")


async def note(visit: Visit, kind: ActionKind, id: UUID, answer: Answered) -> None:
    """Keeps that it was refused; the command API itself keeps whose roles do not allow it."""
    if not answer.kept and not answer.replayed:
        _, text = why(answer)
        await visit.denied(f"saga.{kind.lower()}", str(id), f"{answer.said.get('code', answer.status)}: {text}")


def why(answer: Answered) -> tuple[str, str]:
    detail = str(answer.said.get("detail") or answer.said.get("title") or "")
    match answer.status:
        case HTTPStatus.PRECONDITION_FAILED:
            return MOVED_ON, f"Nothing was done. Look at it again and decide anew. {detail}"
        case HTTPStatus.FORBIDDEN:
            return "You may not do that", f"Nothing was done. It takes an operator. {detail}"
        case HTTPStatus.CONFLICT:
            return "It had no effect", f"Nothing was done: {detail}"
        case _:
            return "It was not done", detail


def kind_of(visit: Visit) -> ActionKind:
    """Raises Refused for an action that there is not."""
    name = str(visit.request.path_params["action"])
    try:
        return ActionKind(name.upper())
    except ValueError:
        known = ", ".join(kind.lower() for kind in ActionKind)
        raise Refused(HTTPStatus.NOT_FOUND, f"There is no action {name}", f"There are {known}.") from None


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "This form is not complete", "It must have its key.") from None


async def whole(visit: Visit) -> Story:
    found = await story(visit, visit.request.path_params["id"])
    if isinstance(found, Untold):
        raise Refused(HTTPStatus.CONFLICT, "This saga cannot be told", found.why)
    return found
