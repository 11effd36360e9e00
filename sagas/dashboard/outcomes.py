"""What came of an action that was asked for of many sagas: by the address alone, for as long as somebody looks.

Nothing is kept for it. Each stream says whether the action was taken, and what followed; or that something else came
first, so that it never will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from domain.event import Erased
from domain.sagas.events import ActionTaken
from projections.feed import Recorded
from sagas.dashboard.asking import uuid_of
from sagas.dashboard.came_of_it import CameOfIt, came_since, taken
from sagas.dashboard.selection import Pick, Selection, kind_of, unpacked
from sagas.dashboard.ticking import ticking
from sagas.dashboard.visit import Visit

CONTEXT: Final = "sagas"
NOT_ASKED: Final = CameOfIt("not asked for", "quiet", "")
OPEN: Final = frozenset({"requested", "not asked for"})
"""What may still become something else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    pick: Pick
    came: CameOfIt


@dataclass(frozen=True, slots=True)
class Canary:
    """The first one, once it was asked for, and why."""

    came: CameOfIt
    reason: str


def address_of(selected: Selection, key: UUID) -> str:
    query = {"action": selected.kind.lower(), "key": str(key), "of": selected.packed()}
    return f"/sagas/bulk/outcomes?{urlencode(query)}"


async def show(visit: Visit) -> Response:
    return visit.page("bulk_outcomes.html", live=visit.request.url.query, **await told(visit, *named(visit), {}))


async def live(visit: Visit) -> Response:
    selected, key = named(visit)
    over: dict[UUID, Outcome] = {}

    async def fragment() -> str:
        return visit.html("bulk_outcome_rows.html", **await told(visit, selected, key, over))

    return ticking(fragment, visit.desk.stopping)


def named(visit: Visit) -> tuple[Selection, UUID]:
    """What the address names. Raises Refused."""
    kind = kind_of(visit.asked("action") or "")
    return unpacked(kind, visit.asked("of") or ""), uuid_of(visit.asked("key") or "", "form")


async def told(visit: Visit, selected: Selection, key: UUID, over: dict[UUID, Outcome]) -> dict[str, Any]:
    """`over` are those that are not looked at again, and is added to."""
    found = []
    for pick in selected.picks:
        outcome = over.get(pick.id) or Outcome(pick, await came(visit, selected, pick, key))
        if outcome.came.word not in OPEN:
            over[pick.id] = outcome
        found.append(outcome)
    canary = await canary_of(visit, selected, key)
    return {
        "action": selected.kind.lower(),
        "selected": selected,
        "frozen": key,
        "outcomes": found,
        "left": sum(each.came is NOT_ASKED for each in found[1:]),
        "first": found[0].came,
        "follow": canary is not None and canary.came.tone != "bad",
    }


async def came(visit: Visit, selected: Selection, pick: Pick, key: UUID) -> CameOfIt:
    since = await after(visit, pick)
    action = selected.action_of(pick, key)
    if any(taken(each.event, action) for each in since):
        return came_since(since, action)
    if since:
        text = f"It has moved on since you looked at version {pick.version}. Nothing was done."
        return CameOfIt("not done", "bad", text)
    return NOT_ASKED


async def after(visit: Visit, pick: Pick) -> Sequence[Recorded]:
    return await visit.desk.sealed[CONTEXT].stream(pick.id, pick.version)


async def canary_of(visit: Visit, selected: Selection, key: UUID) -> Canary | None:
    """None unless who looks had it asked for, of this selection, with a reason that can be read."""
    action = selected.action_of(selected.canary, key)
    since = await visit.desk.opened[CONTEXT].stream(selected.canary.id, selected.canary.version)
    found = next((each.event for each in since if taken(each.event, action)), None)
    if not isinstance(found, ActionTaken) or found.by != visit.actor.id or isinstance(found.reason, Erased):
        return None
    return Canary(came_since(since, action), found.reason)
