"""What caused what: every event of every context that has to do with a saga, from the request to the last mail.

Events carry the id of the request that they go back to (correlation) and of the event that they follow from
(causation). They are listed in the order in which they were recorded; beside them, one lane for each context, lines
lead from each to what it caused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple
from uuid import UUID

from starlette.responses import Response

from domain.errors import NotFound
from projections.feed import Recorded, Unreadable
from sagas.dashboard.asking import first_of_page
from sagas.dashboard.port import Log
from sagas.dashboard.timeline import HIDDEN, body
from sagas.dashboard.visit import Refused, Visit, not_there

CONTEXT: Final = "sagas"
MOST: Final = 10_000
"""Events of one context that are looked for."""
SIZE: Final = 100
"""Events on one page."""
ROW, LANE, LEFT = 27, 20, 12
ORDER: Final = ("users", "products", "orders", "payments", "sagas", "notifications", "operations")
RANKS: Final = {name: rank for rank, name in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Node:
    """An event in its row. `cause` is the number of the row that it follows from, which may be on another page."""

    number: int
    row: int
    context: str
    recorded: Recorded
    lane: int
    cause: int | None
    ours: bool
    body: str

    @property
    def x(self) -> int:
        return LEFT + self.lane * LANE

    @property
    def y(self) -> float:
        return (self.row + 0.5) * ROW

    @property
    def type(self) -> str:
        event = self.recorded.event
        return event.topic if isinstance(event, Unreadable) else event.TOPIC


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: Sequence[Node]
    lanes: Sequence[tuple[str, int]]
    """Each context and where it is."""
    arrows: Sequence[tuple[str, str]]
    """The context of the cause, and a path of SVG."""
    width: int
    height: int


class Place(NamedTuple):
    """An event of some context, without what it says."""

    context: str
    position: int
    stream: UUID
    event_id: UUID
    recorded_at: datetime
    causation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Trace:
    """All that goes back to the same requests, in the order of time. `whole`: none was left out."""

    events: Sequence[Place]
    whole: bool

    def page(self, first: int) -> Sequence[Place]:
        return self.events[first - 1 : first - 1 + SIZE]

    def numbers(self) -> Mapping[UUID, int]:
        return {each.event_id: number for number, each in enumerate(self.events, 1)}


async def show(visit: Visit) -> Response:
    id, logs, first = visit.request.path_params["id"], visit.desk.sealed, first_of_page(visit.asked("from"), SIZE)
    try:
        own = (await visit.desk.stories.of(id)).recorded
    except NotFound:
        raise not_there("saga or order", id) from None
    trace, saga = await traced(logs, own), own[0].event.originator_id
    if first > len(trace.events):
        raise Refused(HTTPStatus.NOT_FOUND, f"There is no number {first}", f"There are {len(trace.events)} events.")
    return visit.page(
        "saga_causes.html",
        id=saga,
        graph=graph(trace, await read(logs, trace.page(first)), first, saga),
        hidden=HIDDEN,
        first=first,
        count=len(trace.events),
        whole=trace.whole,
        size=SIZE,
    )


async def traced(logs: Mapping[str, Log], own: Sequence[Recorded]) -> Trace:
    """Its own events, and with one statement for each context those of others."""
    requests = list(dict.fromkeys(each.correlation_id for each in own if each.correlation_id))
    saga = own[0].event.originator_id
    answers = await asyncio.gather(*(log.correlated(requests, MOST, but=saga) for log in logs.values()))
    events = [Place(CONTEXT, e.position, saga, e.event_id, e.recorded_at, e.causation_id) for e in own]
    events += [
        Place(name, e.position, e.originator_id, e.event_id, e.recorded_at, e.causation_id)
        for name, answer in zip(logs, answers, strict=True)
        for e in answer
    ]
    return Trace(sorted(events, key=when), all(len(answer) < MOST for answer in answers))


def when(place: Place) -> tuple[datetime, int, int]:
    """What one context records is in the order of its log; between contexts the clock must do."""
    return place.recorded_at, RANKS.get(place.context, len(RANKS)), place.position


async def read(logs: Mapping[str, Log], page: Sequence[Place]) -> dict[tuple[str, int], Recorded]:
    """By context and position."""
    names = sorted({each.context for each in page})
    answers = await asyncio.gather(*(logs[n].at([e.position for e in page if e.context == n]) for n in names))
    return {(name, e.position): e for name, answer in zip(names, answers, strict=True) for e in answer}


def graph(trace: Trace, found: Mapping[tuple[str, int], Recorded], first: int, saga: UUID) -> Graph:
    page, numbers = trace.page(first), trace.numbers()
    present = {each.context for each in page}
    names = [name for name in ORDER if name in present] + sorted(present - set(ORDER))
    nodes = []
    for row, each in enumerate(page):
        recorded, ours, number = found[each.context, each.position], each.stream == saga, first + row
        cause = before(numbers.get(each.causation_id) if each.causation_id else None, number)
        said = "" if ours else body(recorded.event)
        nodes.append(Node(number, row, each.context, recorded, names.index(each.context), cause, ours, said))
    here = [(nodes[node.cause - first], node) for node in nodes if node.cause and node.cause >= first]
    width = LEFT * 2 + (len(names) - 1) * LANE
    lanes = [(name, LEFT + n * LANE) for n, name in enumerate(names)]
    return Graph(nodes, lanes, [(cause.context, arrow(cause, node)) for cause, node in here], width, len(nodes) * ROW)


def before(cause: int | None, number: int) -> int | None:
    """Clocks of several processes may put an event before its cause: no line leads up."""
    return cause if cause is not None and cause < number else None


def arrow(cause: Node, effect: Node) -> str:
    """Down the lane of the cause, and over at the last moment; in one lane a bow, so that it can be seen."""
    if cause.x == effect.x:
        if effect.number == cause.number + 1:
            return f"M{cause.x} {cause.y}V{effect.y}"
        bow = cause.x + 8
        return f"M{cause.x} {cause.y}C{bow} {cause.y + 12} {bow} {effect.y - 12} {effect.x} {effect.y}"
    turn = max(cause.y, effect.y - ROW)
    return f"M{cause.x} {cause.y}V{turn:g}C{cause.x} {effect.y - 4:g} {effect.x} {turn + 4:g} {effect.x} {effect.y}"
