"""The dashboard as an ASGI app, to be mounted at `/dashboard`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from mimetypes import guess_type
from typing import Final

from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from sagas.dashboard import sign_in
from sagas.dashboard.desk import Desk
from sagas.dashboard.guard import guarded
from sagas.dashboard.page import Page
from sagas.dashboard.pages import PAGES
from sagas.dashboard.views import BASE, rendered
from sagas.dashboard.visit import SAFE, Refused, theme_of

log: Final = logging.getLogger("chobo.dashboard")

ASSETS: Final = files("sagas.dashboard.assets")
SERVED: Final = frozenset({"css", "js", "svg"})
HOUR: Final = {"cache-control": "public, max-age=3600"}
AWAY: Final = (OperationalError, PoolTimeout)
# Streams of events are left alone. That a form's token is in what is compressed tells nobody anything: the cookie is
# not sent along with what another site asks for, so nobody else can make a page say something beside it.
COMPRESSED: Final = Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)
SIGN_OUT: Final = Page("/sign-out", sign_in.sign_out, method="POST")


def dashboard(desk: Desk, pages: Sequence[Page] = PAGES) -> Mount:
    open_to_anybody = [
        Route("/sign-in", sign_in.show, methods=["GET"]),
        Route("/sign-in", same_site(partial(sign_in.sign_in, desk=desk)), methods=["POST"]),
        Route("/theme", same_site(sign_in.switch_theme), methods=["POST"]),
        Route("/assets/{name}", asset),
    ]
    inside = [Route(page.path, guarded(page, desk), methods=[page.method]) for page in (*pages, SIGN_OUT)]
    handlers = {Refused: refused, HTTPException: not_served, Exception: broken} | dict.fromkeys(AWAY, away)
    app = Starlette(routes=[*open_to_anybody, *inside], exception_handlers=handlers, middleware=[COMPRESSED])
    app.state.menu = [page for page in pages if page.menu]
    return Mount(BASE, app)


def same_site(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """For forms of people who are not signed in, who have no token."""

    async def checked(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(HTTPStatus.FORBIDDEN, "This form is not one of ours", "It came from another site.")
        return await endpoint(request)

    return checked


async def asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name.rpartition(".")[2] not in SERVED or not (file := ASSETS.joinpath(name)).is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(file.read_bytes(), media_type=guess_type(name)[0], headers=SAFE | HOUR)


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.page or said(request, error.status, error.title, error.text, error.back, error.on)


async def not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return said(request, error.status_code, "This is not done here", "The page does not take such a request.")
    return said(request, error.status_code, "There is no such page", f"{request.url.path} is not an address here.")


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
    values = {"theme": theme_of(request), "status": int(status), "title": title, "text": text, "back": back, "on": on}
    return HTMLResponse(rendered("said.html", values), status, headers=SAFE)
