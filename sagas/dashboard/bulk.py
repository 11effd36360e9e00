"""One action for many sagas: a selection frozen with the versions that were seen, one of it first, then the rest.

What has moved on since is left alone, and said so; each has a result of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid5

from starlette.responses import Response

from domain.errors import DomainError, NotFound
from domain.sagas.events import ActionKind
from projections.listing import Page
from projections.sagas.queries import SAGA_LINES
from sagas.dashboard.acting import ENGINE, asked, note, uuid_of, why
from sagas.dashboard.actions import MEANINGS
from sagas.dashboard.came_of_it import CameOfIt, came_of_it
from sagas.dashboard.rows import Odd, listed
from sagas.dashboard.saga_list import wanted
from sagas.dashboard.saga_words import Said, said_of
from sagas.dashboard.stories import Untold
from sagas.dashboard.visit import Refused, Visit
from sagas.story import Story
from sagas.what_if import what_if

MOST: Final = 100
LOOKS, LOOK = 10, 0.2
"""So often, and after so many seconds, it is looked what came of the first one."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A saga at the version that was seen."""

    id: UUID
    version: int

    def __str__(self) -> str:
        return f"{self.id}~{self.version}"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the action would do to one; `why_not` if it would not."""

    pick: Pick
    process: str
    now: Said
    after: Said | None
    commands: int
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Result:
    pick: Pick
    came: CameOfIt


async def preview(visit: Visit) -> Response:
    """Of each that was picked what would become of it."""
    return await foretold(visit, kind_of(visit), picked(visit))


async def preview_all(visit: Visit) -> Response:
    """The same of all that the address asks for, as the list of sagas does; frozen as they are now."""
    asked = wanted(visit)
    where = asked.conditions(visit.desk.now())
    found = await listed(visit.desk.reads, SAGA_LINES, where, asked.ordering, Page(MOST))
    picks = [Pick(row.id, row.version) for row in found.rows if not isinstance(row, Odd)]
    if not picks:
        raise Refused(HTTPStatus.NOT_FOUND, "There are none like that any more", "Somebody may have seen to them.",
                      back="/sagas", on="To the sagas")  # fmt: skip
    return await foretold(visit, action_of(visit.asked("action") or ""), picks)


async def foretold(visit: Visit, kind: ActionKind, picks: Sequence[Pick]) -> Response:
    foreseen = [await foresee(visit, kind, pick) for pick in picks]
    possible = [each.pick for each in foreseen if each.why_not is None]
    return visit.page(
        "bulk.html",
        action=kind.lower(),
        meaning=MEANINGS[kind],
        foreseen=foreseen,
        possible=possible,
        typed=str(len(possible)),
    )


async def go(visit: Visit) -> Response:
    """The first one alone; and once it is seen what came of that, the others."""
    kind, picks, key = kind_of(visit), picked(visit), uuid_of(visit.posted("key"))
    reason = visit.posted("reason")
    if not reason:
        raise Refused(HTTPStatus.BAD_REQUEST, "It takes a reason", "Say why: it is recorded for good.")
    rest = visit.posted("stage") == "rest"
    if not rest and visit.posted("typed") != str(len(picks)):
        raise Refused(HTTPStatus.BAD_REQUEST, "It was not confirmed", f"Type {len(picks)}, the number of sagas.")
    now, later = (picks, []) if rest else (picks[:1], picks[1:])
    results = [await done(visit, kind, pick, reason, key, wait=not rest) for pick in now]
    return visit.page(
        "bulk_done.html",
        action=kind.lower(),
        results=results,
        later=later,
        reason=reason,
        frozen=key,
        canary=not rest,
    )


async def foresee(visit: Visit, kind: ActionKind, pick: Pick) -> Foreseen:
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
    after = said_of(would.status, would.outcome, paused=kind is ActionKind.PAUSE)
    return Foreseen(pick, saga.process, now, after, len(would.commands), None)


class NotReadable(Exception):
    """This release does not understand it."""


async def read(visit: Visit, id: UUID) -> Story:
    found = await visit.desk.stories.of(id)
    if isinstance(found, Untold):
        raise NotReadable(found.why)
    return found


async def done(visit: Visit, kind: ActionKind, pick: Pick, reason: str, key: UUID, *, wait: bool) -> Result:
    """The key of each follows from that of all: sent again, none is done twice."""
    action_id = uuid5(key, str(pick.id))
    answer = await asked(visit, pick.id, kind, action_id, reason, pick.version)
    if not answer.done:
        title, text = why(answer)
        await note(visit, kind, pick.id, answer)
        return Result(pick, CameOfIt("not done", "bad", f"{title}. {text}"))
    return Result(pick, await seen(visit, pick, action_id, LOOKS if wait else 1))


async def seen(visit: Visit, pick: Pick, action_id: UUID, looks: int) -> CameOfIt:
    came = CameOfIt("requested", "busy", "")
    for _ in range(looks):
        try:
            story = await read(visit, pick.id)
        except NotFound as error:
            return CameOfIt("not done", "bad", error.detail)
        came = came_of_it(story.saga, story.recorded, action_id)
        if came.word != "requested":
            return came
        await asyncio.sleep(LOOK if looks > 1 else 0)
    return came


# -- what was posted


def kind_of(visit: Visit) -> ActionKind:
    return action_of(visit.posted("action"))


def action_of(name: str) -> ActionKind:
    """Raises Refused for one that there is not."""
    try:
        return ActionKind(name.upper())
    except ValueError:
        known = ", ".join(kind.lower() for kind in ActionKind)
        raise Refused(HTTPStatus.BAD_REQUEST, f"There is no action {name}", f"There are {known}.") from None


def picked(visit: Visit) -> Sequence[Pick]:
    """Raises Refused for none, too many, or what is none."""
    texts = list(dict.fromkeys(visit.form.get("pick", [])))
    if not texts:
        raise Refused(HTTPStatus.BAD_REQUEST, "Nothing was picked", "Pick sagas in the list first.", back="/sagas")
    if len(texts) > MOST:
        raise Refused(HTTPStatus.BAD_REQUEST, "That is too many at once", f"Pick at most {MOST}.", back="/sagas")
    try:
        parts = [text.split("~") for text in texts]
        return [Pick(UUID(id), int(version)) for id, version in parts]
    except ValueError:
        raise Refused(
            HTTPStatus.BAD_REQUEST, "This selection cannot be read", "Pick them anew.", back="/sagas"
        ) from None
