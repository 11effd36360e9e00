"""One saga: where it stands and why, its way out and back, every step, all that happened, its money and goods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from domain.errors import NotFound
from domain.ids import OrderId, PaymentId, payment_of
from domain.sagas.events import ActionTaken, Course
from domain.sagas.saga import ACCEPTED, Saga
from projections.feed import Recorded
from projections.pool import connected
from sagas.advice import advised, sentence, unsettled
from sagas.dashboard.actions import ACT, choices
from sagas.dashboard.as_test import NEEDS_PERSON, as_test, name_of
from sagas.dashboard.asking import whole_number
from sagas.dashboard.came_of_it import asked_for
from sagas.dashboard.healthy import Usual
from sagas.dashboard.live import stream
from sagas.dashboard.operator_log import operator_log
from sagas.dashboard.saga_words import COURSES, said_of
from sagas.dashboard.stories import Untold
from sagas.dashboard.swimlane import Drawing, drawing
from sagas.dashboard.timeline import HIDDEN, timeline, timer
from sagas.dashboard.views import style
from sagas.dashboard.visit import SAFE, Refused, Visit, not_there
from sagas.explain import Explanation, explained
from sagas.runs import Attempt, Run, runs
from sagas.story import Story

MODEL: Final = "sagas"
SHOWN: Final = 60
"""Events of a timeline on one page."""
AGED: Final = 10.0  # seconds after which the times on an open page are told anew, while sagas move
LINES: Final = 200
"""Of a saga as a test, on its page; the file has all."""
ATTEMPTS: Final = 10
"""Of a step, the newest; the timeline has the others."""


UNSAID: Final = frozenset({"", "NONE"})
"""Statuses in an answer that say nothing to a person."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step as the table has it; `usual` is what half of the healthy ones took at most."""

    run: Run | None
    name: str
    course: Course
    tone: str
    note: str
    lane: str
    pivot: bool
    usual: float | None
    took: float | None
    late_at: datetime | None
    next_at: datetime | None

    @property
    def way_back(self) -> bool:
        return self.course is not Course.FORWARD

    @property
    def tried(self) -> str:
        """How often, and what came of the last time."""
        attempts = self.run.attempts if self.run else []
        last = self.said_of(attempts[-1]) if attempts else ""
        return last if len(attempts) == 1 else f"{len(attempts)} attempts, the last {last}"

    def said_of(self, attempt: Attempt) -> str:
        """What was answered, and what came of it after that."""
        if not attempt.answer:
            return "not answered yet"
        code = "" if attempt.code in UNSAID else attempt.code
        if attempt.answer != ACCEPTED:
            return f"{attempt.answer}: {code}" if code else attempt.answer
        if attempt.failed:
            return f"accepted, then failed: {attempt.failed}"
        return f"accepted: {code.replace('_', ' ').lower()}" if code else "accepted"


async def show(visit: Visit) -> Response:
    asked = visit.request.path_params["id"]
    found = await story(visit, asked)
    if found.recorded[0].event.originator_id != asked:  # the id of an order, which leads to its saga
        return visit.go(f"/sagas/{found.recorded[0].event.originator_id}")
    if isinstance(found, Untold):
        return visit.page("saga_untold.html", untold=found, **all_that_happened(visit, found.recorded), hidden=HIDDEN)
    position = await visit.desk.news.position(MODEL)
    values = await told(visit, found)
    return visit.page("saga.html", live=live_address(visit, found.saga, position), **values)


def live_address(visit: Visit, saga: Saga, position: str) -> str:
    kept = {name: value for name in ("acted", "upto") if (value := visit.asked(name))}
    return f"/sagas/{saga.id}/live?{urlencode(kept | {'seen': position})}"


async def live(visit: Visit) -> Response:
    """Made anew when this saga has moved, or something was asked about it; and now and then, for the times in it."""
    id, desk = visit.request.path_params["id"], visit.desk
    seen = visit.request.headers.get("last-event-id") or visit.asked("seen") or ""
    asked = (visit.asked("upto"), visit.asked("acted"), visit.may(ACT))
    last: tuple[int | None, str, float] | None = None
    desk.versions.watch(id)

    async def made() -> str:
        found = await story(visit, id)
        return "" if isinstance(found, Untold) else visit.html("saga_story.html", **await told(visit, found))

    async def fragment() -> str:
        nonlocal last
        desk.versions.watch(id)
        version = (await desk.once(MODEL, "versions", desk.versions.look)).get(id)
        now = (version, desk.news.seen("operations"), monotonic() // AGED)
        if now == last:
            return ""
        told = await desk.once(MODEL, ("saga", id, asked), made)
        last = now
        return told

    return stream(visit.desk.news, MODEL, fragment, seen=seen, stopping=visit.desk.stopping)


async def bundle(visit: Visit) -> Response:
    """The page as one file that can be looked at anywhere."""
    found = await story(visit, visit.request.path_params["id"])
    if isinstance(found, Untold):
        raise Refused(HTTPStatus.CONFLICT, "This saga cannot be told", found.why)
    values = await told(visit, found, whole=True)
    response = visit.page("saga_bundle.html", css=style(), **values)
    response.headers["content-disposition"] = f'attachment; filename="saga-{found.saga.id}.html"'
    return response


async def test(visit: Visit) -> Response:
    found = await story(visit, visit.request.path_params["id"])
    if isinstance(found, Untold):
        raise Refused(HTTPStatus.CONFLICT, "This saga cannot be told", found.why)
    text = as_test(found.saga, found.recorded)
    if visit.asked("file"):
        name = f'attachment; filename="test_{name_of(found.saga)}.py"'
        headers = SAFE | {"content-disposition": name}
        return Response(text, media_type="text/x-python; charset=utf-8", headers=headers)
    lines = text.splitlines(keepends=True)
    return visit.page("saga_test.html", saga=found.saga, text="".join(lines[:LINES]), lines=len(lines),
                      whole=len(lines) <= LINES, fails=found.saga.status in NEEDS_PERSON)  # fmt: skip


async def story(visit: Visit, id: UUID) -> Story | Untold:
    """Raises Refused when there is none."""
    try:
        return await visit.desk.stories.of(id)
    except NotFound:
        raise not_there("saga or order", id) from None


async def told(visit: Visit, story: Story, *, whole: bool = False) -> dict[str, Any]:
    """All that the page says. `whole`: every event, however many."""
    saga, definition = story.saga, story.definition
    advice = advised(saga, story.balance)
    ran = runs(story.recorded)
    usual = await visit.desk.healthy.of(saga.process, saga.definition)
    drawn = drawing(saga, definition, ran, usual.steps)
    return {
        "saga": saga,
        "story": story,
        "said": said_of(saga.status, saga.outcome, paused=saga.paused),
        "explained": explanation(story, visit.desk.now()),
        "course": COURSES[saga.course],
        "drawn": drawn,
        "steps": steps(saga, drawn, ran, usual),
        "usual": usual,
        "took": ((saga.ended_at or visit.desk.now()) - saga.started_at).total_seconds(),
        "balance": story.balance,
        "advice": advice,
        "facts": sentence(unsettled(saga, story.balance)) if saga.ended or advice else "",
        "customer": await customer_of(visit, saga),
        "payment": payment_of_saga(saga),
        **all_that_happened(visit, story.recorded, whole=whole),
        "deeds": await operator_log(visit, story),
        "acted_in_all": sum(isinstance(each.event, ActionTaken) for each in story.recorded),
        "attempts_shown": None if whole else ATTEMPTS,
        "order": order_of(saga),
        "came": asked_for(visit.asked("acted"), story.recorded),
        "actions": choices(visit, saga, definition, advice.action if advice else None),
        "hidden": HIDDEN,
        "timer": timer,
        "linked": not whole,
    }


def all_that_happened(visit: Visit, recorded: Sequence[Recorded], *, whole: bool = False) -> dict[str, Any]:
    """A page of it, the newest first, up to the version that the address names."""
    last = recorded[-1].event.originator_version
    upto = number(visit.asked("upto")) or last
    shown = [each for each in recorded if each.event.originator_version <= upto]
    return {
        "entries": timeline(shown if whole else shown[-SHOWN:])[::-1],
        "earlier": None if whole or len(shown) <= SHOWN else shown[-SHOWN].event.originator_version - 1,
        "latest": upto >= last,
    }


def explanation(story: Story, now: datetime) -> Explanation:
    return explained(story.saga, story.definition, now)


def number(text: str | None) -> int | None:
    """Raises Refused for what is no version."""
    if text is None:
        return None
    version = whole_number(text)
    if version is None:
        raise Refused(HTTPStatus.BAD_REQUEST, f"{text[:80]} is no version", "It is a whole number from 1 on.")
    return version


def order_of(saga: Saga) -> str | None:
    return next((str(facts["order_id"]) for facts in saga.known.values() if facts.get("order_id")), None)


def steps(saga: Saga, drawn: Drawing, ran: Sequence[Run], usual: Usual) -> list[StepLine]:
    """As drawn, out and back, with times beside."""
    by_name: dict[str, list[Run]] = {}
    for one in ran:
        by_name.setdefault(one.step, []).append(one)
    found = []
    for box in drawn.boxes:
        each = by_name.get(box.step)
        run = each.pop(0) if each else None
        trouble = saga.trouble if saga.trouble and saga.trouble.step == box.step else None
        found.append(
            StepLine(
                run=run,
                name=box.step,
                course=run.course if run else saga.course,
                tone=box.tone,
                note=box.note,
                lane=box.lane,
                pivot=box.pivot,
                usual=usual.steps.get(box.step),
                took=run.took if run else None,
                late_at=run.late_at if run and run.completed_at is None and saga.step == box.step else None,
                next_at=trouble.next_at if trouble else None,
            )
        )
    return found


CUSTOMER: Final = "SELECT customer_id FROM reads.orders WHERE id = %s"


async def customer_of(visit: Visit, saga: Saga) -> UUID | None:
    """Who ordered; None until the read model knows."""
    async with connected(visit.desk.reads) as connection:
        found = await (await connection.execute(CUSTOMER, [order_of(saga)])).fetchone()
    return found[0] if found else None


def payment_of_saga(saga: Saga) -> PaymentId | None:
    order = order_of(saga)
    return payment_of(OrderId(UUID(order))) if order else None
