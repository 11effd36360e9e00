"""One request of somebody who is signed in, and what pages answer with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_bytes
from typing import Any, Final
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.actor import Actor
from sagas.dashboard.access import may
from sagas.dashboard.desk import Desk
from sagas.dashboard.headers import SAFE
from sagas.dashboard.port import Answered, Asked, Unreachable
from sagas.dashboard.session import PAD, Session
from sagas.dashboard.views import BASE, rendered

__all__ = ["SAFE", "Refused", "SoFar", "Visit", "not_there", "read_form", "theme_of"]

LONGEST_FORM: Final = 100_000  # bytes
KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
"""What may stand in the header that says it."""


class Refused(Exception):
    """What was asked for is not done; the page says why. `title` is short, `text` says what to do instead."""

    def __init__(
        self, status: int, title: str, text: str, *, back: str = "/", on: str = "", page: Response | None = None
    ) -> None:
        """`back` is the page that is offered to go on from, `on` what the link to it says.

        `page` is shown instead, where it says all this itself: a form that comes back as it was filled in.
        """
        super().__init__(title)
        self.page = page
        self.status = status
        self.title = title
        self.text = text
        self.back = back
        self.on = on or ("To the overview" if back == "/" else "Back")


def not_there(what: str, id: object) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, f"There is no {what} {id}", "It may not have come to be yet.")


@dataclass
class SoFar:
    """What came of a form so far: answers of the command API, and whether a denial was kept for the audit log."""

    answers: list[Answered] = field(default_factory=list)
    kept: bool = False


@dataclass(frozen=True)
class Visit:
    """`form` is what was posted, one value a name; its CSRF token was checked."""

    request: Request
    desk: Desk
    session: Session
    actor: Actor
    form: Mapping[str, list[str]] = field(default_factory=dict)
    so_far: SoFar = field(default_factory=SoFar)
    pad: bytes = field(default_factory=lambda: token_bytes(PAD), repr=False)

    @property
    def csrf(self) -> str:
        """What a form of this page must come back with."""
        return self.session.token(self.pad)

    def may(self, scope: str) -> bool:
        return may(self.actor, scope)

    def asked(self, name: str) -> str | None:
        """A parameter of the address, None where it is missing or empty."""
        return self.request.query_params.get(name, "").strip() or None

    def posted(self, name: str) -> str:
        return (self.form.get(name) or [""])[0].strip()

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A whole page."""
        return HTMLResponse(self.html(template, **values), status, headers=SAFE)

    def said(self, status: int, title: str, text: str, *, back: str, on: str) -> Response:
        """A page that says no more than this."""
        return self.page("said_inside.html", status=status, code=int(status), title=title, text=text, back=back, on=on)

    def html(self, template: str, **values: Any) -> str:
        return rendered(template, self._frame() | values)

    def go(self, path: str, **query: str) -> Response:
        """After a POST, to where its outcome is shown."""
        address = BASE + path + (f"?{urlencode(query)}" if query else "")
        return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers=SAFE)

    async def post(
        self, path: str, body: Mapping[str, Any], *, key: str | None = None, version: int | None = None
    ) -> Answered:
        """Has the command API do something, as who is signed in. Raises Refused when it cannot be reached."""
        if key is not None and not KEY.fullmatch(key):
            raise Refused(
                HTTPStatus.BAD_REQUEST, "This form is not complete", "It must have its key. Nothing was done."
            )
        asked = Asked(path, body, self.desk.address(self.request.scope), self.desk.token(self.actor), key, version)
        try:
            answer = await self.desk.commands.post(asked)
        except Unreachable as error:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The command API cannot be reached",
                f"Whether anything was done is not known; sending the same form again does it once at most. {error}",
            ) from error
        self.so_far.answers.append(answer)
        self.so_far.kept |= answer.kept
        return answer

    @property
    def sent_before(self) -> bool:
        """Whether all that this form asks for had been asked for by the same form already: nothing was done now."""
        return bool(self.so_far.answers) and all(answer.replayed for answer in self.so_far.answers)

    async def denied(self, action: str, target: str, why: str) -> None:
        """Keeps for the audit log that this was not done; `action` as `saga.retry`."""
        self.so_far.kept = True
        await self.desk.denials.keep(self.actor, action, target, why)

    def _frame(self) -> dict[str, Any]:
        return {
            "visit": self,
            "menu": self.request.app.state.menu,
            "path": self.request.url.path,
            "theme": theme_of(self.request),
            "key": str(uuid4()),
        }


def theme_of(request: Request) -> str:
    chosen = request.cookies.get("chobo_theme", "")
    return chosen if chosen in ("light", "dark") else ""


async def read_form(request: Request) -> dict[str, list[str]]:
    """Raises Refused for one that is too long or cannot be read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise Refused(413, "That is too much at once", f"A form may have {LONGEST_FORM} bytes.")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=2_000)
    except ValueError as error:
        raise Refused(400, "This form cannot be read", str(error)) from error
