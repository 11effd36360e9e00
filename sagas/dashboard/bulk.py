"""One action for many sagas: a selection frozen with the versions that were seen, one of it first, then the rest.

What has moved on since is left alone, and said so. What came of each is told at an address of its own (`outcomes.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from starlette.responses import Response

from domain.errors import DomainError
from sagas.dashboard.acting import ENGINE, Slips, asked, note, slips, uuid_of, why
from sagas.dashboard.actions import MEANINGS
from sagas.dashboard.outcomes import address_of, canary_of
from sagas.dashboard.port import Answered
from sagas.dashboard.saga_words import Said, said_of
from sagas.dashboard.selection import Pick, Selection, kind_of, picked
from sagas.dashboard.stories import Untold
from sagas.dashboard.visit import Refused, Visit
from sagas.story import Story
from sagas.what_if import what_if

AT_ONCE: Final = 8  # requests to the command API
TOLD: Final = (HTTPStatus.PRECONDITION_FAILED,)
"""What the page of outcomes says by itself: that one has moved on."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the action would do to one; `why_not` if it would not."""

    pick: Pick
    process: str
    now: Said
    after: Said | None
    commands: int
    why_not: str | None


async def preview(visit: Visit) -> Response:
    """Of each that the address names what would become of it."""
    kind = kind_of(visit.asked("action") or "")
    return await shown(visit, picked(kind, visit.request.query_params.getlist("pick")))


async def shown(visit: Visit, selected: Selection, wrong: Slips | None = None) -> Response:
    """`wrong`: what is to be said beside the fields of a form that comes back."""
    foreseen = [await foresee(visit, selected, pick) for pick in selected.picks]
    possible = [each.pick for each in foreseen if each.why_not is None]
    return visit.page(
        "bulk.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        action=selected.kind.lower(),
        meaning=MEANINGS[selected.kind],
        foreseen=foreseen,
        possible=possible,
        typed=str(len(possible)),
        reason=visit.posted("reason"),
        wrong=wrong or {},
    )


async def go(visit: Visit) -> Response:
    """The first one alone; and once it is known what came of that, the others."""
    selected = picked(kind_of(visit.posted("action")), visit.form.get("pick", []))
    key = uuid_of(visit.posted("key"))
    there = address_of(selected, key)
    if visit.posted("stage") == "rest":
        await ask(visit, selected, key, selected.others, await reason_of_canary(visit, selected, key, there), there)
    else:
        if wrong := slips(visit, str(len(selected.picks)), "the number of sagas"):
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                *next(iter(wrong.values())),
                page=await shown(visit, selected, wrong),
            )
        await ask(visit, selected, key, [selected.canary], visit.posted("reason"), there)
    return visit.go(there)


async def reason_of_canary(visit: Visit, selected: Selection, key: UUID, there: str) -> str:
    """Why the first one was asked for, which holds for all. Raises Refused unless they had it asked for themselves."""
    canary = await canary_of(visit, selected, key)
    if canary is None or canary.came.tone == "bad":
        text = "The others follow once the first one went well, for who asked for it. Nothing was done."
        raise Refused(HTTPStatus.CONFLICT, "One goes first", text, back=there, on="What came of it")
    return canary.reason


async def ask(visit: Visit, selected: Selection, key: UUID, picks: Sequence[Pick], reason: str, there: str) -> None:
    """Some at a time. Raises Refused where some were not taken, with the way to what came of each."""
    for at in range(0, len(picks), AT_ONCE):
        some = picks[at : at + AT_ONCE]
        told = await asyncio.gather(*[done(visit, selected, pick, reason, key) for pick in some])
        failed = [each for each in told if each is not None]
        if failed:
            raise not_taken(failed[0], at + len(told) - len(failed), len(picks), there)


async def done(visit: Visit, selected: Selection, pick: Pick, reason: str, key: UUID) -> Refused | None:
    """The key of each follows from that of all: sent again, none is done twice."""
    kind = selected.kind
    try:
        answer = await asked(visit, pick.id, kind, selected.action_of(pick, key), reason, pick.version)
    except Refused as away:
        return away
    if answer.done:
        return None
    await note(visit, kind, pick.id, answer)
    return None if answer.status in TOLD else not_done(answer)


def not_done(answer: Answered) -> Refused:
    title, text = why(answer)
    return Refused(answer.status, title, text)


def not_taken(error: Refused, taken: int, of: int, there: str) -> Refused:
    so_far = "" if of == 1 else f" {taken} of {of} were asked for so far; the others can be asked for there."
    return Refused(error.status, error.title, f"{error.text}{so_far}", back=there, on="What came of each")


async def foresee(visit: Visit, selected: Selection, pick: Pick) -> Foreseen:
    kind = selected.kind
    try:
        found = await read(visit, pick.id)
        saga = found.saga
        now = said_of(saga.status, saga.outcome, paused=saga.paused)
        if saga.version != pick.version:
            return Foreseen(pick, saga.process, now, None, 0, "it has moved on since it was picked")
        would = what_if(ENGINE, saga, kind, visit.desk.now())
    except DomainError as error:
        return Foreseen(pick, "", Said("", "quiet"), None, 0, error.detail)
    except Exception as error:  # noqa: BLE001  # an odd one is left out, and hides none of the others
        return Foreseen(pick, "", Said("unreadable", "bad"), None, 0, f"{type(error).__name__}: {error}")
    after = said_of(would.status, would.outcome, paused=kind.name == "PAUSE")
    return Foreseen(pick, saga.process, now, after, len(would.commands), None)


class NotReadable(Exception):
    """This release does not understand it."""


async def read(visit: Visit, id: UUID) -> Story:
    found = await visit.desk.stories.of(id)
    if isinstance(found, Untold):
        raise NotReadable(found.why)
    return found
