"""The dashboard as an ASGI app, to be mounted at `/dashboard`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from mimetypes import guess_type
from typing import Final

from psycopg import DataError, OperationalError
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from projections.history import NotReadable
from sagas.dashboard import sign_in
from sagas.dashboard.desk import Desk
from sagas.dashboard.guard import guarded, same_origin, visit_of
from sagas.dashboard.headers import SAFE
from sagas.dashboard.page import LOOK, Page
from sagas.dashboard.pages import PAGES
from sagas.dashboard.views import BASE, checksum, rendered
from sagas.dashboard.visit import Refused, Visit, theme_of

log: Final = logging.getLogger("chobo.dashboard")

ASSETS: Final = files("sagas.dashboard.assets")
SERVED: Final = frozenset({"css", "js", "svg"})
HOUR: Final = {"cache-control": "public, max-age=3600"}
FOR_GOOD: Final = {"cache-control": "public, max-age=31536000, immutable"}
"""Of an address that has the checksum of what it leads to."""
AWAY: Final = (OperationalError, PoolTimeout)
# Streams of events are left alone. The length of what is compressed tells nothing of a form's token: it is masked anew
# on every page.
COMPRESSED: Final = Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)
SIGN_OUT: Final = Page("/sign-out", sign_in.sign_out, scope=LOOK, method="POST")


def dashboard(desk: Desk, pages: Sequence[Page] = PAGES) -> Mount:
    open_to_anybody = [
        Route("/sign-in", sign_in.show, methods=["GET"]),
        Route("/sign-in", same_site(partial(sign_in.sign_in, desk=desk)), methods=["POST"]),
        Route("/theme", same_site(partial(sign_in.switch_theme, desk=desk)), methods=["POST"]),
        Route("/assets/{name}", asset),
    ]
    inside = [Route(page.path, guarded(page, desk), methods=[page.method]) for page in (*pages, SIGN_OUT)]
    handlers = {
        Refused: refused,
        HTTPException: not_served,
        DataError: not_storable,
        NotReadable: unreadable,
        Exception: broken,
    }
    handlers |= dict.fromkeys(AWAY, away)
    app = Starlette(routes=[*open_to_anybody, *inside], exception_handlers=handlers, middleware=[COMPRESSED])
    app.state.desk = desk
    app.state.menu = [page for page in pages if page.menu]
    return Mount(BASE, app)


def same_site(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """For forms of people who are not signed in, who have no token."""

    async def checked(request: Request) -> Response:
        ours = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        if not ours or not same_origin(request):  # browsers send the first to encrypted sites and to this machine only
            raise Refused(HTTPStatus.FORBIDDEN, "This form is not one of ours", "It came from another site.")
        return await endpoint(request)

    return checked


async def asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name.rpartition(".")[2] not in SERVED or not (file := ASSETS.joinpath(name)).is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    kept = FOR_GOOD if request.query_params.get("v") == checksum(name) else HOUR
    return Response(file.read_bytes(), media_type=guess_type(name)[0], headers=SAFE | kept)


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.page or said(request, error.status, error.title, error.text, error.back, error.on)


async def not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    request.state.visit = await visiting(request)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return said(request, error.status_code, "This is not done here", "The page does not take such a request.")
    return said(request, error.status_code, "There is no such page", f"{request.url.path} is not an address here.")


async def visiting(request: Request) -> Visit | None:
    """Who is signed in and has gone to where there is nothing."""
    try:
        return await visit_of(request, request.app.state.desk)
    except (*AWAY, Refused):
        return None


async def not_storable(request: Request, error: Exception) -> Response:
    log.warning("an address asked for what no database can hold: %s", error)
    text = "The address asks for a value that cannot be: nothing here has it."
    return said(request, HTTPStatus.BAD_REQUEST, "This address cannot be read", text)


async def unreadable(request: Request, error: Exception) -> Response:
    return said(
        request, HTTPStatus.CONFLICT, "This cannot be read", f"The log has what this release does not: {error}."
    )


async def away(request: Request, error: Exception) -> Response:
    log.warning("a page could not be made: %s", error)
    text = "Try again in a moment; nothing was changed by looking."
    return said(request, HTTPStatus.SERVICE_UNAVAILABLE, "A database cannot be reached", text)


async def broken(request: Request, error: Exception) -> Response:
    """The traceback is in the log; Starlette raises the error again once this is sent."""
    text = f"{type(error).__name__}; the log has the details. What you see elsewhere is not affected."
    return said(request, HTTPStatus.INTERNAL_SERVER_ERROR, "This page could not be made", text)


def said(
    request: Request, status: int, title: str, text: str, back: str = "/", on: str = "To the overview"
) -> Response:
    visit: Visit | None = getattr(request.state, "visit", None)
    if visit is not None and not request.headers.get("hx-request"):
        return visit.said(status, title, text, back=back, on=on)
    values = {"theme": theme_of(request), "status": int(status), "title": title, "text": text, "back": back, "on": on}
    return HTMLResponse(rendered("said.html", values), status, headers=SAFE)
