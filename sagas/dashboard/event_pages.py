"""Events of every log: by stream, type, correlation and time; each as it is stored, and as this release reads it."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from domain.event import EVENT_TYPES, Event
from projections.feed import Recorded, Unreadable
from projections.history import plain
from sagas.dashboard.asking import whole_number
from sagas.dashboard.desk import Desk
from sagas.dashboard.event_list import LOOKED_AT, SIZE, Row, found, places, wanted
from sagas.dashboard.event_news import LogsMove, come, heads, top, written
from sagas.dashboard.live import stream
from sagas.dashboard.park import state_of
from sagas.dashboard.personal import SCOPE, hidden, is_open, log_of
from sagas.dashboard.port import Stored
from sagas.dashboard.visit import Visit, not_there

STRETCH: Final = 500
MOST_OF_ONE: Final = 10_000
"""Events of one correlation in each log among which the cause of an event is looked for."""


async def show(visit: Visit) -> Response:
    asked = wanted(visit)
    before = await heads(visit.desk, asked.contexts)
    page = await found(visit.desk, asked)
    later = ",".join(f"{name}:{place}" for name, place in page.ended.items()) if page.ended else None
    return visit.page(
        "events.html",
        asked=asked,
        page=page,
        later=later,
        first=written(top(before, page.rows)) if asked.goes_on else None,
        contexts=list(visit.desk.contexts),
        types=sorted(EVENT_TYPES),
        looked_at=LOOKED_AT,
    )


async def newer(visit: Visit) -> Response:
    """Says how many have come since the list was made, whose ends the address says as `first`."""
    desk, asked = visit.desk, wanted(visit)
    first = places(visit.asked("first"), asked.contexts)

    async def fragment() -> str:
        count = await come(desk, asked, first)
        return visit.html("newer.html", count=min(count, SIZE), more=count > SIZE)

    seen = visit.request.headers.get("last-event-id") or ""
    return stream(LogsMove(desk, asked.contexts), "", fragment, seen=seen, stopping=desk.stopping)


# -- one ---------------------------------------------------------------------------------------------------------------


async def show_one(visit: Visit) -> Response:
    context, place = visit.request.path_params["context"], visit.request.path_params["position"]
    if context not in visit.desk.contexts:
        raise not_there("log", context)
    position = whole_number(place)
    stored = await visit.desk.sealed[context].stored_at(position) if position is not None else None
    if stored is None:
        raise not_there("event", f"{context}/{place[:80]}")
    opened = await is_open(visit, stored.originator_id)
    log = log_of(visit, context, opened=opened)
    (recorded,) = await log.stream(stored.originator_id, stored.version - 1, None, 1)
    return visit.page(
        "event.html",
        context=context,
        stored=stored,
        raw=state_of(stored),
        read=read(recorded, opened=opened),
        unreadable=recorded.event.reason if isinstance(recorded.event, Unreadable) else None,
        last=await log.last_version(stored.originator_id),
        opened=opened,
        may_open=visit.may(SCOPE),
        cause=await cause(visit.desk, stored),
        among=MOST_OF_ONE,
    )


def read(recorded: Recorded, *, opened: bool) -> dict[str, Any] | None:
    """What the event says, as this release reads it: upcast, without where it stands."""
    if isinstance(recorded.event, Unreadable):
        return None
    said: dict[str, Any] = plain(recorded.event, erased=hidden(opened=opened))
    return {name: value for name, value in said.items() if name not in Event.model_fields}


async def cause(desk: Desk, stored: Stored) -> Row | None:
    """The event that this one names as its cause, if it is among the newest of the same correlation."""
    if stored.causation_id is None:
        return None
    for context in desk.sealed:
        if found := await cause_in(desk, context, stored):
            return found
    return None


async def cause_in(desk: Desk, context: str, stored: Stored) -> Row | None:
    below = None
    for _ in range(0, MOST_OF_ONE, STRETCH):
        events = await desk.sealed[context].sought(
            stream=None, correlation=stored.correlation_id, event_type=None, above=0, below=below, limit=STRETCH
        )
        if found := next((event for event in events if event.event_id == stored.causation_id), None):
            return Row(context, found)
        if len(events) < STRETCH:
            return None
        below = events[-1].position
    return None
