"""What operators had one saga do, what they were refused, and what came of each: the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.sagas.events import ActionTaken
from projections.feed import Recorded
from projections.listing import Condition, Page
from projections.operations.queries import LATEST_FIRST, OPERATIONS
from projections.operations.row import OperationRow
from sagas.dashboard.audit_pages import names
from sagas.dashboard.came_of_it import CameOfIt, came_since
from sagas.dashboard.lists import users
from sagas.dashboard.odd import Odd
from sagas.dashboard.operation import TONES, WORDS
from sagas.dashboard.personal import may_read_reasons, reason_shown
from sagas.dashboard.rows import listed
from sagas.dashboard.timeline import HIDDEN
from sagas.dashboard.visit import Visit
from sagas.story import Story

CONTEXT: Final = "sagas"
ACTED: Final = 30
ITS_OWN: Final = "saga."
"""How kinds of operations begin that the saga itself has recorded, unless they were denied."""


@dataclass(frozen=True, slots=True)
class Deed:
    """`who` is the name of somebody of the shop, where that is known; `why` is hidden from who may not act."""

    at: datetime
    actor: str
    who: str | None
    what: str
    why: str
    came: CameOfIt


async def operator_log(visit: Visit, story: Story) -> list[Deed]:
    places = [n for n, each in enumerate(story.recorded) if isinstance(each.event, ActionTaken)][-ACTED:]
    acted = [story.recorded[n] for n in places]
    denied = await operations(visit, story.saga.id)
    known = await names(visit, denied)
    known |= {id: user.email for id, user in (await users(visit, (by(each) for each in acted))).items() if user.email}
    reasons = await reasons_of(visit, acted)
    deeds = [
        *(deed(story.recorded[n:], reasons, known) for n in places),
        *(refused(visit, row, known) for row in denied if not isinstance(row, Odd)),
        *(unreadable(row, story.recorded[-1].event.timestamp) for row in denied if isinstance(row, Odd)),
    ]
    return sorted(deeds, key=lambda each: each.at, reverse=True)[:ACTED]


def by(recorded: Recorded) -> UUID | None:
    return recorded.event.by if isinstance(recorded.event, ActionTaken) else None


async def reasons_of(visit: Visit, acted: Sequence[Recorded]) -> dict[UUID, str]:
    """By event, of those that can be opened, for who may read them."""
    if not may_read_reasons(visit):
        return {}
    sealed = [each for each in acted if by(each)]  # a service's words are not
    if sealed:
        versions = [each.event.originator_version for each in sealed]
        acted = [*acted, *await visit.desk.opened[CONTEXT].picked(sealed[0].event.originator_id, versions)]
    events: list[Any] = [each.event for each in acted]
    return {event.action_id: event.reason for event in events if isinstance(event.reason, str)}


def deed(recorded: Sequence[Recorded], reasons: Mapping[UUID, str], known: Mapping[UUID, str]) -> Deed:
    """Of the first of these events, and what came of it."""
    event: Any = recorded[0].event
    came = came_since(recorded, event.action_id)
    why = reasons.get(event.action_id, HIDDEN)
    return Deed(event.timestamp, recorded[0].actor, known.get(event.by), event.action.lower(), why, came)


def refused(visit: Visit, row: OperationRow, known: Mapping[UUID, str]) -> Deed:
    why = reason_shown(visit, row.reason)
    came = CameOfIt(WORDS[row.status], TONES[row.status], row.explanation or "")
    who = known.get(row.by) if row.by else None
    return Deed(row.requested_at, row.actor, who, row.kind.removeprefix(ITS_OWN), why, came)


def unreadable(row: Odd, at: datetime) -> Deed:
    """First of all, since nothing says when it was."""
    return Deed(at, f"operation {row.id}", None, "", "", CameOfIt("unreadable", "bad", row.why))


async def operations(visit: Visit, id: UUID) -> Sequence[OperationRow | Odd]:
    """What was denied, and what else the audit log has about it; what the saga took is in its own stream."""
    found = await listed(
        visit.desk.reads, OPERATIONS, [Condition("target", "eq", str(id))], LATEST_FIRST, Page(ACTED)
    )  # fmt: skip
    return [
        row for row in found.rows if isinstance(row, Odd) or row.status == "DENIED" or not row.kind.startswith(ITS_OWN)
    ]
