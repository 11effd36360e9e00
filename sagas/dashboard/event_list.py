"""Which events an address asks for, and a page of them: of every log, by stream, type, correlation and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sagas.dashboard.asking import uuid_of, whole_number
from sagas.dashboard.desk import Desk
from sagas.dashboard.lists import moment
from sagas.dashboard.port import Stored
from sagas.dashboard.visit import Refused, Visit

SIZE: Final = 50
LOOKED_AT: Final = 100_000
"""Positions of a log that are looked through for a type at a time: there is no index by type."""
TO_THE_FIRST: Final = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; `places` are where the page before has ended, by context."""

    contexts: Sequence[str]
    context: str | None
    stream: UUID | None
    event_type: str | None
    correlation: str | None
    since: datetime | None
    until: datetime | None
    places: Mapping[str, int]

    @property
    def scans(self) -> bool:
        """Whether no index leads to what is asked for."""
        return self.event_type is not None and self.stream is None and self.correlation is None

    @property
    def everything(self) -> bool:
        """Whether all events of its logs are asked for."""
        return {self.stream, self.correlation, self.event_type, self.since, self.until} == {None}

    @property
    def goes_on(self) -> bool:
        """Whether new events come on top of it: it is the first page, and has no end."""
        return not self.places and self.until is None


@dataclass(frozen=True, slots=True)
class Row:
    context: str
    event: Stored


@dataclass(frozen=True, slots=True)
class Found:
    """`ended` are the places where the next page begins, None where there is no more."""

    rows: Sequence[Row]
    ended: Mapping[str, int] | None
    cut_short: bool


def wanted(visit: Visit) -> Wanted:
    """Raises Refused for what cannot be asked for, with what can."""
    known, context, stream = list(visit.desk.contexts), visit.asked("context"), visit.asked("stream")
    if context is not None and context not in known:
        raise Refused(400, "There is no such log", f"{context!r} is none: there are {', '.join(known)}.")
    event_type = visit.asked("type")
    if event_type is not None and context is None:
        context = event_type.partition(".")[0] if event_type.partition(".")[0] in known else None
    return Wanted(
        contexts=[context] if context else known,
        context=context,
        stream=uuid_of(stream, "stream") if stream else None,
        event_type=event_type,
        correlation=visit.asked("correlation"),
        since=moment(visit.asked("since")),
        until=moment(visit.asked("until")),
        places=places(visit.asked("before"), known),
    )


def places(text: str | None, known: Sequence[str]) -> dict[str, int]:
    """`orders:120,users:7`. Raises Refused."""
    found = {}
    for part in (text or "").split(","):
        context, _, text = part.partition(":")
        position = whole_number(text)
        if part and (context not in known or position is None):
            raise Refused(400, "This address is not complete", f"{part[:80]!r} is no place in a log.")
        if position is not None:
            found[context] = position
    return found


# -- a page of them ----------------------------------------------------------------------------------------------------


async def found(desk: Desk, asked: Wanted) -> Found:
    """The newest of all logs, merged by when they were recorded."""
    parts = {name: await part(desk, name, asked) for name in asked.contexts}
    everything = [Row(name, event) for name, (events, _) in parts.items() for event in events]
    everything.sort(key=lambda row: (row.event.recorded_at, row.event.position), reverse=True)
    shown = everything[:SIZE]
    ends = {name: end(name, shown, events, low, asked) for name, (events, low) in parts.items()}
    open = {name: place for name, place in ends.items() if place is not None}
    cut = asked.scans and len(everything) < SIZE and any(low > TO_THE_FIRST for _, low in parts.values())
    return Found(shown, open or None, cut)


async def part(desk: Desk, context: str, asked: Wanted) -> tuple[Sequence[Stored], int]:
    """Of one log: one more than a page has, and the position down to which was looked."""
    log = desk.sealed[context]
    below = asked.places.get(context)
    if asked.places and below is None:
        return [], TO_THE_FIRST  # the pages before have had all of it
    if below is None and asked.until is not None:
        below = await log.position_at(asked.until) + 1
    floor = await log.position_at(asked.since) if asked.since is not None else TO_THE_FIRST
    above = floor
    if asked.scans:
        head = below if below is not None else (await log.head())[1] + 1
        above = max(floor, head - 1 - LOOKED_AT)
    events = await log.sought(
        stream=asked.stream,
        correlation=asked.correlation,
        event_type=asked.event_type,
        above=above,
        below=below,
        limit=SIZE + 1,
    )
    return events, above if above > floor else TO_THE_FIRST


def end(context: str, shown: Sequence[Row], events: Sequence[Stored], low: int, asked: Wanted) -> int | None:
    """The place before which the next page goes on in this log; None where it has no more."""
    mine = [row.event.position for row in shown if row.context == context]
    if len(mine) < len(events):
        return mine[-1] if mine else asked.places.get(context, events[0].position + 1)
    return low + 1 if low > TO_THE_FIRST else None
