"""Notifications: who was told what by which way, what came of it, and a kept mail as its reader sees it.

Addresses are masked. A mail may be seen by who has had it opened, with a reason; never one that lets somebody in.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from starlette.responses import HTMLResponse, Response

from domain.notifications.events import Channel
from domain.notifications.notification import Status
from domain.notifications.triggers import SORTS, Sort, Trigger
from projections.listing import Condition
from projections.notifications.queries import NOTIFICATIONS
from projections.notifications.row import NotificationRow
from sagas.dashboard.asking import uuid_of
from sagas.dashboard.headers import CSP, SAFE
from sagas.dashboard.lists import Timed, between, equal, one_of, users
from sagas.dashboard.odd import Odd
from sagas.dashboard.personal import SCOPE, is_open
from sagas.dashboard.port import Mail
from sagas.dashboard.rows import by_id
from sagas.dashboard.visit import Refused, Visit, not_there

LIST: Final = Timed(NOTIFICATIONS, "requested_at", "notifications")

WAYS: Final = {
    Channel.EMAIL: "by mail",
    Channel.SMS: "by text message",
    Channel.PUSH: "by push",
    Channel.IN_APP: "in the app",
}
TONES: Final = {Status.REQUESTED: "busy", Status.SENT: "good", Status.FAILED: "bad"}

FRAMED: Final = CSP + "; frame-src 'self'"
MAIL_CSP: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""A mail has its style in itself; it gets no script, no address of anything, and no way out."""


def conditions(visit: Visit) -> list[Condition]:
    """Raises Refused for what cannot be asked for."""
    return [
        *one_of(visit, "status", list(Status)),
        *one_of(visit, "channel", list(Channel)),
        *one_of(visit, "trigger", list(Trigger)),
        *equal(visit, "user", "user_id", lambda text: uuid_of(text, "user")),
        *equal(visit, "cause", "cause", lambda text: uuid_of(text, "event")),
        *between(visit, "requested_at"),
    ]


async def show(visit: Visit) -> Response:
    where = conditions(visit)
    found = await LIST.page(visit, where)
    return visit.page(
        "notifications.html",
        page=found,
        names=await addresses(visit, found.rows),
        tones=TONES,
        ways=WAYS,
        choices={"statuses": list(Status), "channels": list(Channel), "triggers": list(Trigger)},
    )


async def newer(visit: Visit) -> Response:
    return await LIST.newer(visit, conditions(visit))


async def addresses(visit: Visit, rows: Sequence[NotificationRow | Odd]) -> dict[UUID, str]:
    """By user, masked."""
    found = await users(visit, (row.user_id for row in rows if not isinstance(row, Odd)))
    return {id: masked(user.email) if user.email else "(erased)" for id, user in found.items()}


def masked(email: str) -> str:
    """Its first letter and its host."""
    local, _, host = email.rpartition("@")
    return f"{local[:1]}\N{HORIZONTAL ELLIPSIS}@{host}"


async def show_one(visit: Visit) -> Response:
    row = await found(visit)
    if isinstance(row, Odd):
        return visit.page("odd.html", what="notification", list="/notifications", odd=row, context="notifications")
    opened = await is_open(visit, row.id)
    mail = await kept(visit, row) if opened else None
    response = visit.page(
        "notification.html",
        row=row,
        ways=WAYS,
        tone=TONES[row.status],
        names=await addresses(visit, [row]),
        opened=opened,
        may_open=visit.may(SCOPE),
        lets_in=lets_in(row),
        mail=mail,
    )
    response.headers["content-security-policy"] = FRAMED
    return response


async def found(visit: Visit) -> NotificationRow | Odd:
    """Raises Refused."""
    id = uuid_of(visit.request.path_params["id"], "notification")
    row = await by_id(visit.desk.reads, NOTIFICATIONS, id)
    if row is None:
        raise not_there("notification", id)
    return row


def lets_in(row: NotificationRow) -> bool:
    """Whether it has a link with which its reader gets into an account; of what this release does not know, it may."""
    known = {str(trigger): sort for trigger, sort in SORTS.items()}
    return known.get(row.trigger, Sort.SECURITY) is Sort.SECURITY


async def kept(visit: Visit, row: NotificationRow) -> Mail | None:
    if row.channel is not Channel.EMAIL or lets_in(row):
        return None
    return await visit.desk.mails.read(row.id)


async def show_mail(visit: Visit) -> Response:
    """The mail's own HTML, for a frame that can do nothing."""
    row = await found(visit)
    if isinstance(row, Odd):
        raise Refused(HTTPStatus.CONFLICT, "This notification cannot be read", row.why, back=f"/notifications/{row.id}")
    if not await is_open(visit, row.id):
        raise Refused(HTTPStatus.FORBIDDEN, "This mail is sealed", "It is to be opened with a reason first.")
    mail = await kept(visit, row)
    if mail is None:
        raise not_there("kept mail", row.id)
    return HTMLResponse(mail.html, headers=SAFE | {"content-security-policy": MAIL_CSP})
