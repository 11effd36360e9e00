"""The first page: what needs a person."""

from __future__ import annotations

from starlette.responses import Response

from sagas.dashboard.visit import Visit


async def show(visit: Visit) -> Response:
    return visit.page("overview.html")
