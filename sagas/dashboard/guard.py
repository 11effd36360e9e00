"""Who is let in, and whose forms are taken. Whatever is not let in explicitly is kept out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.actor import ANONYMOUS, Actor
from projections.users.queries import USERS, sign_ins_of
from sagas.dashboard import sign_in
from sagas.dashboard.access import may
from sagas.dashboard.desk import Desk
from sagas.dashboard.page import Page
from sagas.dashboard.session import Over, Session
from sagas.dashboard.views import BASE
from sagas.dashboard.visit import SAFE, Refused, Visit, read_form

log: Final = logging.getLogger("chobo.dashboard")

Endpoint = Callable[[Request], Awaitable[Response]]

OVER: Final = "Your session is over. Nothing was done: sign in and send it again."
AGAIN: Final = "Nothing was done twice, and that it was sent again is in the audit log."
LONGEST_WHY: Final = 500
STRANGE: Final = "This form did not come from a page of this dashboard, so nothing was done."


def guarded(page: Page, desk: Desk) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        session = found(request, desk)
        if not isinstance(session, Session):
            return await kept_out(request, desk, page, session)
        actor = await known(desk, session)
        if actor is None:
            return await kept_out(request, desk, page, Over(session))
        visit = Visit(request, desk, session, actor)
        if not may(actor, page.scope):
            if page.method == "POST":
                await visit.denied(*what(page, request), f"needs the scope {page.scope}")
            raise Refused(HTTPStatus.FORBIDDEN, "You may not do that", f"It takes more than {roles_of(actor)}.")
        return renewed(await (sent(page, visit) if page.method == "POST" else page.show(visit)), visit)

    return endpoint


def found(request: Request, desk: Desk) -> Session | Over | None:
    return desk.sessions.read(request.cookies.get(sign_in.COOKIE, ""))


async def known(desk: Desk, session: Session) -> Actor | None:
    """With the roles of this moment; None for who may not be let in any more or has a new password since."""
    row = await USERS.one(desk.reads, session.user)
    (sign_ins,) = await sign_ins_of(desk.reads, [session.user])
    if row is None or row.blocked_at is not None:
        return None
    if sign_ins is not None and sign_ins.password_since is not None and sign_ins.password_since > session.since:
        return None
    return Actor(row.id, frozenset(row.roles))


async def kept_out(request: Request, desk: Desk, page: Page, session: Over | None) -> Response:
    if page.method == "POST":
        if session is None:  # who can ask without end is named by the form alone, so that it is kept once an hour
            await desk.denials.keep(ANONYMOUS, "dashboard.post", page.path, "nobody was signed in")
        else:
            await desk.denials.keep(whose(session.session), *what(page, request), "the session was over")
        return sign_in.form(request, status=HTTPStatus.UNAUTHORIZED, problem=OVER)
    if request.headers.get("hx-request"):  # a page that goes on by itself must not swap the form into its middle
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers=SAFE)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{sign_in.SIGN_IN}?{urlencode({'next': here})}", HTTPStatus.SEE_OTHER, headers=SAFE)


# -- forms -------------------------------------------------------------------------------------------------------------


async def sent(page: Page, visit: Visit) -> Response:
    """What came of a form. That it was refused, or had been sent before, is kept for the audit log."""
    try:
        visit = await with_form(page, visit)
        response = await page.show(visit)
    except Refused as refusal:
        if visit.sent_before:
            raise await sent_again(page, visit, refusal.back, f"It was refused: {refusal.text}") from None
        if not visit.so_far.kept and refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            await visit.denied(*what(page, visit.request), f"{refusal.title}. {refusal.text}"[:LONGEST_WHY])
        raise
    if visit.sent_before:
        there = response.headers.get("location", "").removeprefix(BASE)
        again = await sent_again(page, visit, there, "It was taken when it was sent first.")
        if there:  # else the page itself tells what came of each
            raise again
    return response


async def sent_again(page: Page, visit: Visit, there: str, came: str) -> Refused:
    """To be raised."""
    await visit.denied(*what(page, visit.request), f"it was sent again ({visit.posted('key')[:64]})")
    return Refused(HTTPStatus.CONFLICT, "This was sent already", f"{AGAIN} {came}", back=there, on="What came of it")


async def with_form(page: Page, visit: Visit) -> Visit:
    """Raises Refused for a form that is not one of ours."""
    form = await read_form(visit.request)
    token = (form.get("csrf") or [""])[0]
    if not visit.session.matches(token) or not same_origin(visit.request):
        await visit.denied(*what(page, visit.request), "the form was not one of the dashboard's own")
        raise Refused(HTTPStatus.FORBIDDEN, "This form is not one of ours", STRANGE)
    return replace(visit, form=form)


def whose(session: Session) -> Actor:
    """Who had it; with no roles, for none are looked up any more."""
    return Actor(session.user, frozenset())


def what(page: Page, request: Request) -> tuple[str, str]:
    """The action and its target, as the audit log names them: `saga.retry` of an id, `dashboard.post` of a path."""
    params = request.path_params
    if page.kind:
        return page.kind, str([request.url.path, *params.values()][-1])[:200]
    action = str(params.get("action", ""))
    if "id" in params and action.isalpha() and action.isascii():
        return f"saga.{action[:32].lower()}", str(params["id"])
    return "dashboard.post", request.url.path[:200]


def same_origin(request: Request) -> bool:
    """As far as the browser says it."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def renewed(response: Response, visit: Visit) -> Response:
    again = visit.desk.sessions.renewed(visit.session)
    return response if again is None else sign_in.kept(response, visit.request, visit.desk, again)


def roles_of(actor: Actor) -> str:
    return "the role " + ", ".join(sorted(actor.roles)) if actor.roles else "you are allowed"
