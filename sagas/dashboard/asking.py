"""How pages ask for operations: a form's reason and key go to the command API, which asks for roles and records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from sagas.dashboard.visit import Refused, Visit

LONGEST_REASON: Final = 500
MOST_DIGITS: Final = 15
MOVED_ON: Final = "It has moved on since you looked"
RECORDED: Final = "That you asked is in the audit log."


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done to what; `back` is the page on which they asked."""

    kind: str
    target: str
    back: str = "/"


def reason_of(visit: Visit) -> str:
    """Raises Refused where there is none."""
    reason = visit.posted("reason")
    if not reason or len(reason) > LONGEST_REASON:
        said = f"Say in 1 to {LONGEST_REASON} characters why it is done: the audit log keeps it. Nothing was done."
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "It needs a reason", said)
    return reason


async def confirmed(visit: Visit, wish: Wish, text: str) -> None:
    """Raises Refused unless just this was typed."""
    if visit.posted("confirm") != text:
        said = f"What was typed is not {text!r}, so nothing was done."
        raise await refused(visit, wish, HTTPStatus.UNPROCESSABLE_ENTITY, "It was not confirmed", said)


async def requested(visit: Visit, wish: Wish, path: str, body: Mapping[str, Any], *, key: str | None = None) -> UUID:
    """The id of the operation. Sent twice with one key it is one. Raises Refused."""
    return UUID((await done(visit, wish, path, body, key=key))["id"])


async def done(
    visit: Visit,
    wish: Wish,
    path: str,
    body: Mapping[str, Any],
    *,
    key: str | None = None,
    version: int | None = None,
) -> Mapping[str, Any]:
    """What the command API said of it. Sent twice with one key it is done once. Raises Refused."""
    answer = await visit.post(path, body, key=key or visit.posted("key") or None, version=version)
    if answer.done:
        return answer.said
    said = str(answer.said.get("detail") or answer.said.get("title") or "no more was said")
    if answer.kept:
        raise Refused(answer.status, "You may not do that", f"{said}. {RECORDED}", back=wish.back)
    title = MOVED_ON if answer.status == HTTPStatus.PRECONDITION_FAILED else "That was refused"
    raise await refused(visit, wish, answer.status, title, f"{said}. Nothing was done.")


async def refused(visit: Visit, wish: Wish, status: int, title: str, text: str) -> Refused:
    """To be raised; the audit log has it already."""
    await visit.denied(wish.kind, wish.target[:200], f"{title}: {text}")
    return Refused(status, title, f"{text} {RECORDED}", back=wish.back)


def uuid_of(text: str, what: str) -> UUID:
    """Raises Refused for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        said = f"{text[:80]!r} is no id of a {what}: that is a UUID."
        raise Refused(HTTPStatus.BAD_REQUEST, "That is no id", said) from None


def version_of(visit: Visit) -> int:
    """Raises Refused for a form that does not say it."""
    version = whole_number(visit.posted("version"))
    if version is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "This form is not complete", "It must say which version was looked at.")
    return version


def whole_number(text: str) -> int | None:
    """None for what is none, or larger than any version or position."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None


def first_of_page(text: str | None, size: int) -> int:
    """The number of the first thing on the page that has the one of this number. Raises Refused."""
    if not (number := whole_number(text or "1")):
        raise Refused(HTTPStatus.BAD_REQUEST, "There is no such page", "It is a whole number from 1 on.")
    return (number - 1) // size * size + 1
