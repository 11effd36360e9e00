"""Things as they were: the same rows that readers see, folded from the log up to a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.errors import InvalidValue
from projections.feed import Recorded, Unreadable
from projections.history import AtTime, AtVersion, Moment, Stream, stretches
from projections.listing import Listing
from projections.model import Projector
from projections.table import R
from read_api.context import Context
from read_api.errors import HistoryNotReadable

LONGEST: Final = 2_000
"""Events of one thing that a request may have read: some 50 ms of work. Only what a program does all day has more."""

CHUNK: Final = 250
"""Events that are folded in one go, some 5 ms: others have their turn in between."""


@strawberry.input(one_of=True, description="A moment in the life of something.")
class AsOf:
    version: int | None = strawberry.field(default=UNSET, description="When it had this version.")
    at: datetime | None = strawberry.field(default=UNSET, description="What had been recorded by then.")


When = Annotated[
    AsOf | None,
    strawberry.argument(
        description="As it was at that moment; null if it was not there yet. What hangs on it is shown as it is now."
    ),
]


@dataclass(frozen=True)
class Kind(Generic[R]):
    """How something is looked up as it is, and folded as it was."""

    context: str
    projector: Projector[R]
    listing: Listing[R]


async def row_of(
    context: Context, kind: Kind[R], id: UUID | None, may_see: Callable[[R], bool], as_of: AsOf | None = None
) -> R | None:
    """As it is, or as it was, if the actor may see it: as it is now, and as it was then.

    Nothing is read of what they may not see now, so that it answers as what is not there. Raises InvalidValue,
    HistoryNotReadable.
    """
    at = moment(as_of, "asOf") if as_of else None
    row = await context.loader(kind.listing.each).load(id) if id else None
    if row is None or not may_see(row):
        return None
    if as_of is None or at is None:
        return row
    was = await folded(kind, context.log(kind.context), row.id, at)
    return was if was and may_see(was) and as_of.version in (None, UNSET, was.version) else None


def moment(as_of: AsOf, path: str) -> Moment:
    """Raises InvalidValue."""
    if as_of.at:
        if as_of.at.tzinfo is None:
            raise InvalidValue(f"{path}.at has no time zone: end it with Z or an offset such as +01:00", path=path)
        return AtTime(as_of.at)
    if not as_of.version or as_of.version < 1:
        raise InvalidValue(f"{path}.version is {as_of.version}: versions are counted from 1", path=path)
    return AtVersion(as_of.version)


async def folded(kind: Kind[R], log: Stream, id: UUID, at: Moment) -> R | None:
    """The row that the events up to then make."""
    row: R | None = None
    async for events in events_of(log, id, at):
        for recorded in events:
            if kind.projector.key_of(recorded.event) == id:
                row = kind.projector.apply(row, recorded)
    return row


async def events_of(log: Stream, id: UUID, at: Moment | None) -> AsyncIterator[list[Recorded]]:
    """In stretches. Raises HistoryNotReadable."""
    read = 0
    async for events in stretches(log, id, at, CHUNK):
        read += len(events)
        if read > LONGEST:
            raise HistoryNotReadable(
                id, f"it had more than {LONGEST} events by then; ask for an earlier moment, or for its `history`"
            )
        for event in events:
            require_readable(event)
        yield events


def require_readable(recorded: Recorded) -> None:
    event: Any = recorded.event
    if isinstance(event, Unreadable):
        version = event.originator_version
        raise HistoryNotReadable(event.originator_id, f"this release cannot read the event of version {version}")
