"""One action for all sagas that an address asks for, as the list does: the selection is frozen as they are now."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from projections.listing import Page
from projections.sagas.queries import SAGA_LINES
from sagas.dashboard.bulk import shown
from sagas.dashboard.odd import Odd
from sagas.dashboard.rows import listed
from sagas.dashboard.saga_list import wanted
from sagas.dashboard.selection import MOST, Pick, kind_of, selection
from sagas.dashboard.visit import Refused, Visit


async def preview(visit: Visit) -> Response:
    """Raises Refused where there are none (any more)."""
    kind, asked = kind_of(visit.asked("action") or ""), wanted(visit)
    where = asked.conditions(visit.desk.now())
    found = await listed(visit.desk.reads, SAGA_LINES, where, asked.ordering, Page(MOST))
    picks = [Pick(row.id, row.version) for row in found.rows if not isinstance(row, Odd)]
    if not picks:
        raise Refused(
            HTTPStatus.NOT_FOUND, "There are none like that any more", "Somebody may have seen to them.",
            back="/sagas", on="To the sagas",
        )  # fmt: skip
    return await shown(visit, selection(kind, picks))
