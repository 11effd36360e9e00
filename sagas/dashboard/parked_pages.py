"""Parked: by cause, what waits behind, what a retry would come to, one first, the others, or passing over an event.

Whoever looks may ask: the command API refuses whom it must, and keeps that.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from domain.ids import derive
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation, Status
from projections import parked
from projections.parked import Parked, Wanted
from projections.pool import connected
from sagas.dashboard import operation, park
from sagas.dashboard.access import PARKED_BULK
from sagas.dashboard.asking import Wish, confirmed, reason_of, refused, requested, uuid_of
from sagas.dashboard.operation import Shown
from sagas.dashboard.park import Foretold
from sagas.dashboard.ticking import ticking
from sagas.dashboard.visit import Refused, Visit, not_there

ACT: Final = "parked:act"
AT_ONCE: Final = 8  # requests to the command API


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
    foretold = await all_foretold(visit, rows) if visit.asked("dry-run") else {}
    asked = await operation.asked_for(visit)
    return visit.page(
        "parked_cause.html",
        wanted=wanted,
        group=groups[0] if groups else None,
        rows=rows,
        foretold=foretold,
        asked=asked,
        went_well=asked is not None and asked.operation.status is Status.DONE,
        in_bulk=visit.may(PARKED_BULK),
        ids=packed([row.id for row in rows]),
    )


def cause_of(visit: Visit) -> Wanted:
    """Raises Refused where the address names none."""
    fingerprint = visit.asked("fingerprint")
    if fingerprint is None:
        raise Refused(400, "Which cause?", "The address names no fingerprint: begin at the list of what is parked.")
    return Wanted(consumer=visit.asked("consumer"), fingerprint=fingerprint)


async def all_foretold(visit: Visit, rows: Sequence[Parked]) -> dict[UUID, Foretold]:
    """One after the other: each holds its slice against the consumer for as long as it takes."""
    return {row.id: await park.foretold(visit.desk, row.id) for row in rows}


# -- one first, then the others ----------------------------------------------------------------------------------------


async def retry_canary(visit: Visit) -> Response:
    reason, fingerprint = reason_of(visit), visit.posted("fingerprint")
    id = uuid_of(visit.posted("id"), "parked sequence")
    body = {"reason": reason, "attempts": whole(visit.posted("attempts"))}
    done = await requested(visit, retrying(id), f"/v1/parked/{id}/retry", body)
    return visit.go("/parked/cause", fingerprint=fingerprint, operation=str(done))


async def retry_others(visit: Visit) -> Response:
    """Of the selection as it was shown, and only behind one that went well. What is gone meanwhile has no effect."""
    reason = reason_of(visit)
    await require_canary(visit)
    key, ids = uuid_of(visit.posted("key"), "form"), unpacked(visit.posted("ids"))
    asked: list[UUID] = []
    for at in range(0, len(ids), AT_ONCE):
        some = [retry(visit, id, reason, key) for id in ids[at : at + AT_ONCE]]
        asked += await asyncio.gather(*some)
    return visit.go("/parked/outcomes", of=packed(asked), fingerprint=visit.posted("fingerprint"))


async def retry(visit: Visit, id: UUID, reason: str, key: UUID) -> UUID:
    own_key = str(derive(str(key), str(id)))
    return await requested(visit, retrying(id), f"/v1/parked/{id}/retry", {"reason": reason}, key=own_key)


def retrying(id: UUID) -> Wish:
    return Wish(OperationKind.PARKED_RETRY, str(id), back=f"/parked/{id}")


async def require_canary(visit: Visit) -> None:
    """Raises Refused."""
    canary = await operation.found(visit.desk, uuid_of(visit.posted("canary"), "retry"))
    if canary is None or canary.kind != OperationKind.PARKED_RETRY or canary.status is not Status.DONE:
        text = "The others are retried once one of them went well: retry one first. Nothing was done."
        wish = Wish(OperationKind.PARKED_RETRY, visit.posted("fingerprint") or "parked", back="/parked")
        raise await refused(visit, wish, HTTPStatus.CONFLICT, "One goes first", text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`asked` is None as long as nothing is known of it."""

    id: UUID
    asked: Shown | None


async def show_outcomes(visit: Visit) -> Response:
    return visit.page("parked_outcomes.html", of=visit.asked("of"), **await outcomes(visit))


async def live_outcomes(visit: Visit) -> Response:
    async def fragment() -> str:
        return visit.html("parked_outcome_rows.html", **await outcomes(visit))

    return ticking(fragment, visit.desk.stopping)


async def outcomes(visit: Visit) -> dict[str, Any]:
    found: list[Outcome] = []
    for id in unpacked(visit.asked("of") or ""):
        state: Operation | None = await operation.found(visit.desk, id)
        found.append(Outcome(id, operation.shown(state) if state else None))
    return {"outcomes": found}


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
        foretold=await park.foretold(desk, id) if row and visit.asked("dry-run") else None,
        may_act=visit.may(ACT),
    )


async def retry_one(visit: Visit) -> Response:
    id = uuid_of(visit.request.path_params["id"], "parked sequence")
    body = {"reason": reason_of(visit), "attempts": whole(visit.posted("attempts"))}
    done = await requested(visit, retrying(id), f"/v1/parked/{id}/retry", body)
    return visit.go(f"/parked/{id}", operation=str(done))


async def discard_one(visit: Visit) -> Response:
    """The event is named, so one that was not looked at is never passed over."""
    id = uuid_of(visit.request.path_params["id"], "parked sequence")
    wish = Wish(OperationKind.PARKED_DISCARD, str(id), back=f"/parked/{id}")
    await confirmed(visit, wish, visit.posted("event-type"))
    body = {"reason": reason_of(visit), "eventId": visit.posted("event")}
    done = await requested(visit, wish, f"/v1/parked/{id}/discard", body)
    return visit.go(f"/parked/{id}", operation=str(done))


# -- what stands in addresses and forms --------------------------------------------------------------------------------


def packed(ids: Sequence[UUID]) -> str:
    return urlsafe_b64encode(b"".join(id.bytes for id in ids)).decode()


def unpacked(text: str) -> list[UUID]:
    """Raises Refused for what is no list of ids, or too long a one."""
    try:
        raw = urlsafe_b64decode(text)
        ids = [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]
    except ValueError:
        raise Refused(400, "This selection cannot be read", "Go back to the list and select again.") from None
    if not 0 < len(ids) <= park.SHOWN:
        raise Refused(400, "This selection cannot be taken", f"It has {len(ids)}: 1 to {park.SHOWN} go at once.")
    return ids


def whole(text: str) -> int:
    """Raises Refused."""
    if not text.isdecimal():
        raise Refused(400, "This form is not complete", "It should say how often it was tried; go back and look again.")
    return int(text)
