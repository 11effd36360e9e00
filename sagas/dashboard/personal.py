"""Personal fields are sealed in every page; who may act can have those of one stream opened, with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from starlette.responses import Response

from domain import operations
from domain.actor import Actor
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation, Status
from sagas.dashboard import operation
from sagas.dashboard.asking import Wish, reason_of, requested, uuid_of
from sagas.dashboard.port import Log
from sagas.dashboard.visit import Visit

SCOPE: Final = "personal:show"
TAKEN: Final = frozenset({Status.REQUESTED, Status.DONE})
"""A worker says done a moment later; where none runs, it is as good."""
OPEN_FOR: Final = timedelta(minutes=15)

ELSEWHERE: Final = {"mail": "notifications", "person": "people"}
"""What forms say as their place that are not on the page of an event, and where one goes from there."""

SEALED: Final = "(personal, sealed)"
ERASED: Final = "(erased)"
HIDDEN: Final = "(personal)"


def may_read_reasons(visit: Visit) -> bool:
    """What operators gave as their reason may name a customer, though it should not: who may open personal fields
    reads it, staff do not, on any page."""
    return visit.may(SCOPE)


def reason_shown(visit: Visit, reason: str | None) -> str:
    """That, or what stands in its place for who may not read it."""
    return reason or "" if may_read_reasons(visit) else HIDDEN if reason else ""


async def is_open(visit: Visit, stream: UUID) -> bool:
    """Whether who looks has had this stream opened, a short while ago: the address names the operation.

    A denial is an operation too. How old it is the log knows: ids may be anybody's.
    """
    text = visit.asked("personal")
    if text is None or not visit.may(SCOPE):
        return False
    id = uuid_of(text, "operation")
    asked = await operation.found(visit.desk, id)
    if asked is None or not opens(asked, stream, visit.actor):
        return False
    (first,) = await visit.desk.sealed[operations.CONTEXT.name].stream(id, limit=1)
    return timedelta(0) <= visit.desk.now() - first.recorded_at < OPEN_FOR


def opens(asked: Operation, stream: UUID, who: Actor) -> bool:
    """Whether this operation is one by which they had just this stream opened: it is done by being recorded."""
    recorded = asked.status in TAKEN and asked.kind == OperationKind.PERSONAL_SHOW
    return recorded and asked.target == str(stream) and asked.by is not None and asked.by == who.id


def log_of(visit: Visit, context: str, *, opened: bool) -> Log:
    return (visit.desk.opened if opened else visit.desk.sealed)[context]


def hidden(*, opened: bool) -> str:
    """What stands in the place of a personal field that could not be read."""
    return ERASED if opened else SEALED


async def open_stream(visit: Visit) -> Response:
    """Back to where it was asked for, which the form says."""
    stream, reason = uuid_of(visit.request.path_params["stream"], "stream"), reason_of(visit)
    wish = Wish(OperationKind.PERSONAL_SHOW, str(stream))
    done = await requested(visit, wish, f"/v1/streams/{stream}/show-personal", {"reason": reason})
    context, place = visit.posted("context"), visit.posted("place")
    there = f"/events/{context}/{place}" if place else f"/aggregates/{context}/{stream}"
    if place in ELSEWHERE:
        there = f"/{ELSEWHERE[place]}/{stream}"
    return visit.go(there, personal=str(done), **({"at": visit.posted("at")} if visit.posted("at") else {}))
