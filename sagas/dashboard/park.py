"""What is parked, for pages: by cause, one by one, and what waits behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json

from projections import parked
from projections.checkpoint import READ as CHECKPOINT
from projections.checkpoint import restored
from projections.parked import Parked, Wanted
from projections.pool import Pool, connected
from projections.unparking import Tried
from sagas.dashboard.desk import Desk
from sagas.dashboard.port import CannotTry, Stored

BEHIND: Final = 20
"""Events behind a parked one that are shown; all are counted."""
SHOWN: Final = 100  # of one cause


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a retry would come to, by the code of this process."""

    tone: str
    text: str


async def one(pool: Pool, id: UUID) -> Parked | None:
    async with connected(pool) as connection:
        return await parked.shown(connection, id)


async def of_cause(pool: Pool, wanted: Wanted) -> list[Parked]:
    """The oldest first."""
    async with connected(pool) as connection:
        return await parked.listed(connection, wanted, limit=SHOWN)


async def standing(pool: Pool, found: Parked) -> int | None:
    """The position up to which the consumer has seen this sequence's slice: so far a retry goes."""
    async with connected(pool) as connection:
        row = await (await connection.execute(CHECKPOINT, [found.consumer, found.context])).fetchone()
    return restored(*row).of(found.slice) if row else None


async def events(desk: Desk, found: Parked) -> Sequence[Stored]:
    """The one that failed and the first of those behind it, as they are stored."""
    return await desk.sealed[found.context].stream_raw(found.sequence, found.version - 1, None, BEHIND + 1)


async def foretold(desk: Desk, id: UUID) -> Foretold:
    try:
        tried = await desk.trying.dry_run(id)
    except CannotTry as refusal:
        return Foretold("quiet", str(refusal))
    return told(tried)


def told(tried: Tried) -> Foretold:
    left = tried.left
    if left is not None and tried.whole:
        before = f"{tried.applied} applied, then " if tried.applied else ""
        return Foretold("bad", f"{before}it would fail at version {left.version} ({left.event_type}): {left.reason}")
    more = "" if tried.whole else ", and more that a dry run does not look at"
    return Foretold("good", f"{tried.applied} event{'s' if tried.applied != 1 else ''} would be applied{more}")


def state_of(event: Stored) -> Any:
    """As it is stored, personal fields sealed; what is no JSON as text that shows every byte."""
    try:
        return from_json(event.state)
    except ValueError:
        return event.state.decode("utf-8", "backslashreplace")
