"""What caused what: every event of every context that has to do with a saga, from the request to the last mail.

Events carry the id of the request that they go back to (correlation) and of the event that they follow from
(causation). They are listed in the order in which they were recorded; beside them, one lane for each context, lines
lead from each to what it caused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.responses import Response

from domain.errors import NotFound
from projections.feed import Recorded, Unreadable
from sagas.dashboard.port import Log
from sagas.dashboard.timeline import HIDDEN, body
from sagas.dashboard.visit import Visit, not_there
from sagas.story import recorded

MOST: Final = 400
"""Events that are shown; a saga with more is not told by looking at them one by one."""
REQUESTS: Final = 40
ROW, LANE, LEFT = 27, 20, 12
ORDER: Final = ("users", "products", "orders", "payments", "sagas", "notifications", "operations")


@dataclass(frozen=True, slots=True)
class Node:
    """An event in its row. `cause` is the number of the row that it follows from."""

    number: int
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
        return (self.number - 0.5) * ROW

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
    more: bool


async def show(visit: Visit) -> Response:
    id = visit.request.path_params["id"]
    logs = visit.desk.sealed
    try:
        own = await recorded(logs["sagas"], id)
    except NotFound:
        raise not_there("saga or order", id) from None
    found, more = await related(logs, own)
    return visit.page("saga_causes.html", id=own[0].event.originator_id, graph=graph(found, own, more=more),
                      hidden=HIDDEN)  # fmt: skip


async def related(logs: Mapping[str, Log], own: Sequence[Recorded]) -> tuple[list[tuple[str, Recorded]], bool]:
    """With their contexts, in the order of time, and whether there are more."""
    requests = list(dict.fromkeys(each.correlation_id for each in own if each.correlation_id))
    asked = [(name, request) for name in logs for request in requests[:REQUESTS]]
    answers = await asyncio.gather(*(logs[name].correlated(request, MOST) for name, request in asked))
    found = {(name, each.position): each for (name, _), answer in zip(asked, answers, strict=True) for each in answer}
    found |= {("sagas", each.position): each for each in own}
    ordered = sorted(((name, each) for (name, _), each in found.items()), key=when)
    return ordered[:MOST], len(ordered) > MOST or len(requests) > REQUESTS


def when(found: tuple[str, Recorded]) -> tuple[object, int, int]:
    """What one context records is in the order of its log; between contexts the clock must do."""
    name, each = found
    return each.recorded_at, ORDER.index(name) if name in ORDER else len(ORDER), each.position


def graph(found: Sequence[tuple[str, Recorded]], own: Sequence[Recorded], *, more: bool) -> Graph:
    present = {name for name, _ in found}
    names = [name for name in ORDER if name in present] + sorted(present - set(ORDER))
    saga = own[0].event.originator_id
    rows: dict[UUID, int] = {}
    nodes = []
    for number, (name, each) in enumerate(found, 1):
        rows.setdefault(each.event_id, number)
        cause = rows.get(each.causation_id) if each.causation_id else None
        ours = each.event.originator_id == saga
        nodes.append(Node(number, name, each, names.index(name), cause, ours, body(each.event)))
    arrows = [(nodes[node.cause - 1].context, arrow(nodes[node.cause - 1], node)) for node in nodes if node.cause]
    width = LEFT * 2 + (len(names) - 1) * LANE
    return Graph(
        nodes, [(name, LEFT + n * LANE) for n, name in enumerate(names)], arrows, width, len(nodes) * ROW, more
    )


def arrow(cause: Node, effect: Node) -> str:
    """Down the lane of the cause, and over at the last moment; in one lane a bow, so that it can be seen."""
    if cause.x == effect.x:
        if effect.number == cause.number + 1:
            return f"M{cause.x} {cause.y}V{effect.y}"
        bow = cause.x + 8
        return f"M{cause.x} {cause.y}C{bow} {cause.y + 12} {bow} {effect.y - 12} {effect.x} {effect.y}"
    turn = max(cause.y, effect.y - ROW)
    return f"M{cause.x} {cause.y}V{turn:g}C{cause.x} {effect.y - 4:g} {effect.x} {turn + 4:g} {effect.x} {effect.y}"
