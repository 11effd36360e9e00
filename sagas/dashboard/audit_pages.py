"""The audit log: what anybody of the shop had done, why, and what came of it; and what somebody was refused."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from domain import operations
from domain.actor import IN_CHARGE
from domain.ids import OperationId, UserId
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation, Status
from domain.sagas.events import ActionKind
from projections.audit import AUDIT
from projections.history import NotReadable
from projections.listing import Condition, Mark, Page
from projections.operations.queries import LATEST_FIRST
from projections.operations.row import OperationRow
from sagas.dashboard import operation
from sagas.dashboard.asking import uuid_of
from sagas.dashboard.headers import SAFE
from sagas.dashboard.lists import Timed, between, equal, one_of, users
from sagas.dashboard.odd import Odd, unshowable
from sagas.dashboard.operation import TONES, WORDS
from sagas.dashboard.personal import reason_shown
from sagas.dashboard.rows import by_id, listed, mark_of
from sagas.dashboard.views import compact, stamp
from sagas.dashboard.visit import Visit, not_there

LIST: Final = Timed(AUDIT, "requested_at", "operations")
KINDS: Final = [
    *OperationKind,
    *(f"saga.{action.lower()}" for action in ActionKind),
    "user.grant-role",
    "user.revoke-role",
    "dashboard.post",
]
"""The last ones only when they are denied."""
CONTEXTS: Final = {"saga": "sagas", "user": "users"}
"""Whose logs have what is no operation of its own."""

STRETCH: Final = 1_000
COLUMNS: Final = (
    "requested at", "id", "actor", "what", "target", "parameters", "reason", "status", "result", "explanation",
    "ended at", "correlation",
)  # fmt: skip
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet takes a text to be a formula."""


def conditions(visit: Visit) -> list[Condition]:
    """Raises Refused for what cannot be asked for."""
    return [
        *one_of(visit, "status", list(Status)),
        *one_of(visit, "kind", KINDS),
        *equal(visit, "actor", "actor"),
        *equal(visit, "target", "target"),
        *between(visit, "requested_at"),
    ]


async def show(visit: Visit) -> Response:
    where = conditions(visit)
    found = await LIST.page(visit, where)
    return visit.page(
        "audit.html",
        page=found,
        names=await names(visit, found.rows),
        statuses={status: WORDS[status] for status in Status},
        tones=TONES,
        kinds=KINDS,
        reason_shown=partial(reason_shown, visit),
    )


async def newer(visit: Visit) -> Response:
    return await LIST.newer(visit, conditions(visit))


async def names(visit: Visit, rows: Sequence[OperationRow | Odd]) -> dict[UUID, str]:
    """The e-mail addresses of who works in the shop; customers are shown by their ids only."""
    found = await users(visit, (row.by for row in rows if not isinstance(row, Odd)))
    return {id: user.email for id, user in found.items() if user.email and not IN_CHARGE.isdisjoint(user.roles)}


async def show_one(visit: Visit) -> Response:
    id = uuid_of(visit.request.path_params["id"], "operation")
    row = await by_id(visit.desk.reads, AUDIT, id)
    odd = row if isinstance(row, Odd) else None
    row = None if isinstance(row, Odd) else row
    try:
        asked = await operation.found(visit.desk, id)
    except NotReadable as error:
        return visit.page(
            "odd.html", what="operation", list="/audit", odd=Odd(str(id), str(error)), context=operations.CONTEXT.name
        )
    events = (operations.CONTEXT.name, str(id))
    if asked is None and row is not None:
        asked, events = of_line(row), (CONTEXTS[row.kind.partition(".")[0]], row.target)
    if asked is None:
        raise not_there("operation", id)
    people = await names(visit, [row] if row else [])
    return visit.page(
        "audit_one.html",
        id=id,
        row=row,
        odd=odd,
        asked=operation.shown(asked),
        events=events,
        names=people,
        reason_shown=partial(reason_shown, visit),
    )


def of_line(row: OperationRow) -> Operation:
    """Of what a saga or a user tells of itself."""
    return Operation(
        OperationId(row.id), row.version, row.status, row.kind, row.target, row.parameters,
        UserId(row.by) if row.by else None, row.result or {}, row.explanation or "",
    )  # fmt: skip


# -- as a file ---------------------------------------------------------------------------------------------------------


async def as_csv(visit: Visit) -> Response:
    """What the address asks for, the latest first, whatever page it shows."""
    where = conditions(visit)
    headers = SAFE | {"content-disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(lines(visit, where), media_type="text/csv; charset=utf-8", headers=headers)


async def lines(visit: Visit, where: Sequence[Condition]) -> AsyncIterator[str]:
    yield written(COLUMNS)
    after: Mark | None = None
    while True:
        found = await listed(visit.desk.reads, AUDIT, where, LATEST_FIRST, Page(STRETCH, after=after))
        yield "".join(written(line(visit, row)) for row in found.rows)
        if not found.more:
            return
        marks = [mark for row in found.rows if (mark := mark_of(row, "requested_at"))]
        if not marks:
            yield written(["unreadable", "", "", "", "", "", "what comes after these lines cannot be found"])
            return
        after = marks[-1]


def line(visit: Visit, row: OperationRow | Odd) -> list[str]:
    """One that cannot be read is a line too, which says so."""
    if not isinstance(row, Odd):
        try:
            return cells(visit, row)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one, the others are written
            row = unshowable(row, error)
    said = {"requested at": str(row.found.get("requested_at", "")), "id": row.id, "status": "unreadable"}
    return [(said | {"explanation": row.why}).get(column, "") for column in COLUMNS]


def cells(visit: Visit, row: OperationRow) -> list[str]:
    return [
        stamp(row.requested_at), str(row.id), row.actor, row.kind, row.target, compact(row.parameters),
        reason_shown(visit, row.reason), row.status, compact(row.result) if row.result else "", row.explanation or "",
        stamp(row.ended_at), row.correlation_id,
    ]  # fmt: skip


def written(cells: Sequence[Any]) -> str:
    """A line; nothing in it is taken for a formula."""
    out = io.StringIO()
    csv.writer(out).writerow([f"'{cell}" if cell.startswith(FORMULAS) else cell for cell in cells])
    return out.getvalue()
