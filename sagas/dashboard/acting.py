"""Having a saga do something: what it would cause is shown first, then it is asked for, then its outcome is told."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.responses import Response

from domain.errors import DomainError
from domain.sagas.events import ActionKind
from sagas.dashboard.actions import IRREVERSIBLE, MEANINGS
from sagas.dashboard.asking import LONGEST_REASON, MOVED_ON, version_of
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
        "reason": "",
        "wrong": {},
    }


async def act(visit: Visit) -> Response:
    """Through the command API, which asks for roles and the version again, and records it."""
    kind, id = kind_of(visit), visit.request.path_params["id"]
    version, reason = version_of(visit), visit.posted("reason")
    if wrong := slips(visit, kind.lower() if kind in IRREVERSIBLE else None, "it cannot be taken back"):
        raise await slipped(visit, kind, version, wrong)
    action_id = uuid_of(visit.posted("key"))
    answer = await asked(visit, id, kind, action_id, reason, version)
    if not answer.done:
        await refuse(visit, kind, id, answer)
    return visit.go(f"/sagas/{id}", acted=str(action_id))


Slips = Mapping[str, tuple[str, str]]
"""By the name of a field what is wrong with it: a title, and what to do."""


def slips(visit: Visit, typed: str | None, what: str) -> Slips:
    """Of a form that takes a reason, and `typed` where that is to be typed; `what` says why or what it is."""
    found, reason = {}, visit.posted("reason")
    if not reason or len(reason) > LONGEST_REASON:
        found["reason"] = (
            "It takes a reason",
            f"Say why in 1 to {LONGEST_REASON} characters: it is recorded for good.",
        )
    if typed is not None and visit.posted("typed").lower() != typed:
        found["typed"] = ("It was not confirmed", f"Type {typed} to confirm: {what}.")
    return found


async def slipped(visit: Visit, kind: ActionKind, version: int, wrong: Slips) -> Refused:
    """The same form again with what is in it, unless there is another saga to look at by now."""
    status, (title, text) = HTTPStatus.UNPROCESSABLE_ENTITY, next(iter(wrong.values()))
    found = await story(visit, visit.request.path_params["id"])
    if isinstance(found, Untold) or found.saga.version != version:
        return Refused(status, title, text, back=f"/sagas/{visit.request.path_params['id']}")
    try:
        would = what_if(ENGINE, found.saga, kind, visit.desk.now())
    except DomainError:
        return Refused(status, title, text, back=f"/sagas/{found.saga.id}")
    again = shown(found, kind, would) | {"reason": visit.posted("reason"), "wrong": wrong}
    return Refused(status, title, text, page=visit.page("saga_act.html", status=status, **again))


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
