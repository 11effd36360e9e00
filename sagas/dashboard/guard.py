"""Who is let in, and whose forms are taken. Whatever is not let in explicitly is kept out."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from time import monotonic
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

from psycopg import Error
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from domain.actor import ANONYMOUS, Actor
from projections.users.queries import USERS
from sagas.dashboard import sign_in
from sagas.dashboard.access import may
from sagas.dashboard.asking import RECORDED
from sagas.dashboard.desk import Desk
from sagas.dashboard.headers import SAFE
from sagas.dashboard.odd import Odd
from sagas.dashboard.page import Page
from sagas.dashboard.rows import by_id
from sagas.dashboard.session import Over, Session
from sagas.dashboard.views import BASE
from sagas.dashboard.visit import Refused, Visit, read_form

log: Final = logging.getLogger("chobo.dashboard")

T = TypeVar("T")

Endpoint = Callable[[Request], Awaitable[Response]]

OVER: Final = "Your session is over. Nothing was done: sign in and send it again."
AGAIN: Final = "Nothing was done twice, and that it was sent again is in the audit log."
UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters but those of text of several lines."""
LIVE: Final = "text/event-stream"
ASKED_AGAIN: Final = 30.0  # seconds after which a page that goes on by itself must be let in again
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
        visit = request.state.visit = Visit(request, desk, session, actor)
        plain(request)
        if not may(actor, page.needs):
            raise await not_allowed(page, visit)
        response = await (sent(page, visit) if page.method == "POST" else page.show(visit))
        if isinstance(response, StreamingResponse) and response.media_type == LIVE:
            response.body_iterator = while_let_in(response.body_iterator, visit)
        return renewed(response, visit)

    return endpoint


def plain(request: Request) -> None:
    """Raises Refused for an address with what cannot be seen in it: no database could look for it either."""
    asked = [text for parameter in request.query_params.multi_items() for text in parameter]
    for text in (request.url.path, *request.path_params.values(), *asked):
        if isinstance(text, str) and UNSEEN.search(text):
            said = "It has control characters in it, which nothing here has."
            raise Refused(HTTPStatus.BAD_REQUEST, "This address cannot be read", said)


async def not_allowed(page: Page, visit: Visit) -> Refused:
    """To be raised."""
    text = f"It takes more than {roles_of(visit.actor)}."
    if page.method == "POST":
        await visit.denied(*what(page, visit.request), f"needs the scope {page.needs}")
        text = f"{text} Nothing was done. {RECORDED}"
    return Refused(HTTPStatus.FORBIDDEN, "You may not do that", text)


async def while_let_in(sent: AsyncIterable[T], visit: Visit) -> AsyncIterator[T]:
    """What a page that goes on by itself is sent, until its session is over or its roles are others.

    Such a stream is never silent for longer than `live.ALIVE`. Whoever is let in asks for it anew.
    """
    asked = monotonic()
    async for each in sent:
        if monotonic() - asked >= ASKED_AGAIN:
            asked = monotonic()
            if not await still(visit):
                return
        yield each


async def still(visit: Visit) -> bool:
    """Whether who looks is let in as they were. Where that cannot be known now, it is asked again next time."""
    if not visit.desk.sessions.lasts(visit.session):
        return False
    try:
        return await known(visit.desk, visit.session) == visit.actor
    except (Error, PoolTimeout) as error:
        log.warning("it is not known whether a session is over: %s", error)
        return True
    except Refused:
        return False


async def visit_of(request: Request, desk: Desk) -> Visit | None:
    """Of who is signed in and let in."""
    session = found(request, desk)
    actor = await known(desk, session) if isinstance(session, Session) else None
    return Visit(request, desk, session, actor) if isinstance(session, Session) and actor else None


def found(request: Request, desk: Desk) -> Session | Over | None:
    return desk.sessions.read(request.cookies.get(sign_in.COOKIE, ""))


async def known(desk: Desk, session: Session) -> Actor | None:
    """With the roles of this moment; None once the session was ended, wherever that was, or nobody may be let in."""
    if not await desk.alive.is_alive(session, desk.now()):
        return None
    row = await by_id(desk.reads, USERS, session.user)
    if isinstance(row, Odd):
        text = f"The read model has it otherwise than this release understands: {row.why}. Nothing was done."
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Your account cannot be read", text)
    return Actor(row.id, frozenset(row.roles)) if row is not None and row.blocked_at is None else None


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
    if any(UNSEEN.search(value) for values in form.values() for value in values):
        raise Refused(HTTPStatus.BAD_REQUEST, "This form cannot be read", "It has control characters in it.")
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
    try:
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


def renewed(response: Response, visit: Visit) -> Response:
    again = visit.desk.sessions.renewed(visit.session)
    return response if again is None else sign_in.kept(response, visit.request, visit.desk, again)


def roles_of(actor: Actor) -> str:
    return "the role " + ", ".join(sorted(actor.roles)) if actor.roles else "you are allowed"
