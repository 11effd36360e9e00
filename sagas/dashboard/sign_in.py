"""Signing in and out. Who may not look at anything is not let in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.actor import Actor, Role
from sagas.dashboard.access import may
from sagas.dashboard.desk import Desk
from sagas.dashboard.headers import SAFE
from sagas.dashboard.page import LOOK
from sagas.dashboard.port import Asked, Unreachable
from sagas.dashboard.session import LASTS, Session
from sagas.dashboard.views import BASE, rendered
from sagas.dashboard.visit import Visit, read_form, theme_of

COOKIE: Final = "chobo_dashboard"
SIGN_IN: Final = f"{BASE}/sign-in"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

NOT_FOR_YOU: Final = "This account may not look at anything here: that takes the role staff, operator or admin."
NOT_REACHED: Final = "Nobody can sign in at present: the command API cannot be reached."

ONLY_HERE: Final = (
    "Only this browser is signed out: the command API cannot be reached, so the session itself could not be ended. "
    "It is over in an hour in which nobody uses it. Changing your password ends it too."
)


def form(request: Request, *, status: int = 200, problem: str = "", email: str = "", next: str = "") -> Response:
    values = {"theme": theme_of(request), "problem": problem, "email": email, "next": next}
    return HTMLResponse(rendered("sign_in.html", values), status, headers=SAFE)


async def show(request: Request) -> Response:
    return form(request, next=request.query_params.get("next", ""))


async def sign_in(request: Request, desk: Desk) -> Response:
    posted = await read_form(request)
    email, password, next = (
        (posted.get(name) or [""])[0].strip(" ") for name in ("email", "password", "next")
    )  # a password may have any other space in it
    client = desk.address(request.scope)
    said = Asked("/v1/sessions", {"email": email, "password": password}, client)
    try:
        answer = await desk.commands.post(said)
    except Unreachable:
        return form(request, status=HTTPStatus.SERVICE_UNAVAILABLE, problem=NOT_REACHED, email=email, next=next)
    if not answer.done:
        problem = str(answer.said.get("detail") or answer.said.get("title") or "You could not be signed in.")
        status = HTTPStatus.UNAUTHORIZED if answer.status < HTTPStatus.TOO_MANY_REQUESTS else answer.status
        return form(request, status=status, problem=problem, email=email, next=next)
    session, actor = begun(desk, email, answer.said)
    if not may(actor, LOOK):
        await ended(desk, session, client)
        return form(request, status=HTTPStatus.FORBIDDEN, problem=NOT_FOR_YOU, email=email)
    response = RedirectResponse(inside(next), HTTPStatus.SEE_OTHER, headers=SAFE)
    return kept(response, request, desk, session)


def begun(desk: Desk, email: str, said: Any) -> tuple[Session, Actor]:
    user = UUID(said["user"]["id"])
    roles = frozenset(Role(role) for role in said["user"]["roles"])
    return desk.sessions.begin(user, email, said["refreshToken"]), Actor(user, roles)


def inside(next: str) -> str:
    """An address of ours that somebody wanted to go to; nowhere else is gone."""
    return next if is_ours(next) and not next.startswith(SIGN_IN) else f"{BASE}/"


def is_ours(address: str) -> bool:
    """Below the dashboard, also once its steps up are taken, as browsers read it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    path = unquote(parts.path)
    inside = path == BASE or path.startswith(f"{BASE}/")
    plain = address.isprintable() and "\\" not in path and not {".", ".."} & set(path.split("/"))
    return inside and plain and not parts.scheme and not parts.netloc


def kept(response: Response, request: Request, desk: Desk, session: Session) -> Response:
    response.set_cookie(
        COOKIE, desk.sessions.sealed(session), max_age=int(LASTS.total_seconds()), path=BASE, httponly=True,
        samesite="lax", secure=sealed_way(request, desk),
    )  # fmt: skip
    return response


def sealed_way(request: Request, desk: Desk) -> bool:
    """Whether a cookie is to go by HTTPS only: where it came so, also behind a proxy that does it, and who lies about
    it only keeps themselves out. In production always, but on the machine itself.
    """
    encrypted = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    return encrypted or (desk.in_production and request.url.hostname not in LOOPBACK)


async def sign_out(visit: Visit) -> Response:
    """The command API ends the session, and with it what a copy of the cookie could do."""
    response: Response = RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER, headers=SAFE)
    if not await ended(visit.desk, visit.session, visit.desk.address(visit.request.scope)):
        response = form(visit.request, status=HTTPStatus.SERVICE_UNAVAILABLE, problem=ONLY_HERE)
    response.delete_cookie(COOKIE, path=BASE)
    return response


async def ended(desk: Desk, session: Session, client: str) -> bool:
    """False where the command API is away: it is over by itself only when it is old."""
    try:
        await desk.commands.post(Asked("/v1/sessions/sign-out", {"refreshToken": session.refresh}, client))
    except Unreachable:
        return False
    return True


async def switch_theme(request: Request, desk: Desk) -> Response:
    """Needs nobody signed in: it changes nothing but how this browser shows things."""
    posted = await read_form(request)
    theme, back = ((posted.get(name) or [""])[0] for name in ("theme", "next"))
    response = RedirectResponse(inside(back), HTTPStatus.SEE_OTHER, headers=SAFE)
    if theme in ("light", "dark"):
        response.set_cookie(
            "chobo_theme", theme, max_age=365 * 86_400, path=BASE, httponly=True, samesite="lax",
            secure=sealed_way(request, desk),
        )  # fmt: skip
    else:
        response.delete_cookie("chobo_theme", path=BASE)
    return response
