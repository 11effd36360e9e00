"""Parked: by cause, what waits behind, what a retry would come to, one of them tried anew, or an event passed over.

Whoever looks may ask: the command API refuses whom it must, and keeps that.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from starlette.responses import Response

from domain.operations.kinds import OperationKind
from projections import parked
from projections.parked import Parked, Wanted
from projections.pool import connected
from sagas.dashboard import operation, park
from sagas.dashboard.access import PARKED_BULK
from sagas.dashboard.asking import MOVED_ON, Wish, confirmed, reason_of, refused, requested, uuid_of
from sagas.dashboard.park import Foretold
from sagas.dashboard.parked_bulk import Canary, Seen, attempts, packed
from sagas.dashboard.visit import Refused, Visit, not_there

ACT: Final = "parked:act"


# -- causes ------------------------------------------------------------------------------------------------------------


async def show(visit: Visit) -> Response:
    wanted = Wanted(visit.asked("consumer"), visit.asked("context"))
    async with connected(visit.desk.reads) as connection:
        groups = await parked.groups(connection, wanted)
        totals = await parked.totals(connection)
    return visit.page("parked.html", groups=groups, totals=totals, wanted=wanted)


async def show_cause(visit: Visit) -> Response:
    wanted = cause_of(visit)
    async with connected(visit.desk.reads) as connection:
        groups = await parked.groups(connection, wanted)
    rows = await park.of_cause(visit.desk.reads, wanted)
    foretold = await all_foretold(visit, rows) if dry_run(visit) else {}
    asked, canary = await operation.asked_for(visit), Canary.of_address(visit, str(wanted.fingerprint))
    return visit.page(
        "parked_cause.html",
        wanted=wanted,
        group=groups[0] if groups else None,
        rows=rows,
        foretold=foretold,
        asked=asked,
        canary=canary,
        went_well=canary is not None and await canary.went_well(visit),
        in_bulk=visit.may(PARKED_BULK),
        may_act=visit.may(ACT),
        ids=packed([Seen(row.id, row.attempts) for row in rows]),
    )


def cause_of(visit: Visit) -> Wanted:
    """Raises Refused where the address names none."""
    fingerprint = visit.asked("fingerprint")
    if fingerprint is None:
        raise Refused(400, "Which cause?", "The address names no fingerprint: begin at the list of what is parked.")
    return Wanted(consumer=visit.asked("consumer"), fingerprint=fingerprint)


def dry_run(visit: Visit) -> bool:
    """Whether the address asks for one. Raises Refused for who may not retry: it holds slices against consumers."""
    asked = visit.asked("dry-run") is not None
    if asked and not visit.may(ACT):
        text = "A dry run makes the consumer wait for as long as it takes, so it takes the role operator."
        raise Refused(HTTPStatus.FORBIDDEN, "You may not do that", text, back="/parked")
    return asked


async def all_foretold(visit: Visit, rows: Sequence[Parked]) -> dict[UUID, Foretold]:
    """One after the other: each holds its slice against the consumer for as long as it takes."""
    return {row.id: await park.foretold(visit.desk, row.id) for row in rows}


# -- one ---------------------------------------------------------------------------------------------------------------


async def show_one(visit: Visit) -> Response:
    id, desk = uuid_of(visit.request.path_params["id"], "parked sequence"), visit.desk
    row, asked = await park.one(desk.reads, id), await operation.asked_for(visit)
    if row is None and asked is None:
        raise not_there("parked sequence", id)
    stored = await park.events(desk, row) if row else []
    return visit.page(
        "parked_one.html",
        id=id,
        row=row,
        asked=asked,
        where=await park.standing(desk.reads, row) if row else None,
        stored=stored,
        state=park.state_of(stored[0]) if stored else None,
        foretold=await park.foretold(desk, id) if row and dry_run(visit) else None,
        may_act=visit.may(ACT),
    )


async def retry_one(visit: Visit) -> Response:
    id = uuid_of(visit.request.path_params["id"], "parked sequence")
    body = {"reason": reason_of(visit), "attempts": attempts(visit)}
    wish = Wish(OperationKind.PARKED_RETRY, str(id), back=f"/parked/{id}")
    done = await requested(visit, wish, f"/v1/parked/{id}/retry", body)
    return visit.go(f"/parked/{id}", operation=str(done))


async def discard_one(visit: Visit) -> Response:
    """The event is named, so one that was not looked at is never passed over."""
    id = uuid_of(visit.request.path_params["id"], "parked sequence")
    wish = Wish(OperationKind.PARKED_DISCARD, str(id), back=f"/parked/{id}")
    row = await park.one(visit.desk.reads, id)
    if row is None:
        raise not_there("parked sequence", id)
    event = uuid_of(visit.posted("event"), "event")
    if event != row.event_id:
        said = f"By now {row.event_type} of version {row.version} is what waits. Nothing was done."
        raise await refused(visit, wish, HTTPStatus.PRECONDITION_FAILED, MOVED_ON, said)
    await confirmed(visit, wish, row.event_type)
    body = {"reason": reason_of(visit), "eventId": str(event)}
    done = await requested(visit, wish, f"/v1/parked/{id}/discard", body)
    return visit.go(f"/parked/{id}", operation=str(done))
