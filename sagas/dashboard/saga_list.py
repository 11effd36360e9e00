"""Sagas: filtered, sorted and paged by the address alone, and kept up to date while somebody looks."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import sql
from starlette.responses import Response

from domain.ids import OrderId, cancellation_of, checkout_of, payment_of
from domain.sagas.events import ActionKind
from domain.sagas.saga import Status
from projections.generations import READS
from projections.listing import Condition, Ordering, Page, Statement
from projections.pool import Pool, connected
from projections.sagas.queries import NEWEST_FIRST, OLDEST_FIRST, SAGA_LINES, Usual
from projections.sagas.row import SagaLine, WaitsFor
from sagas.dashboard.access import BULK
from sagas.dashboard.desk import Desk
from sagas.dashboard.live import stream
from sagas.dashboard.odd import Odd, unshowable
from sagas.dashboard.rows import Listed, listed, mark_of, page, place, read
from sagas.dashboard.saga_words import TONES, WAITS, WORDS, Shown, shown
from sagas.dashboard.views import link
from sagas.dashboard.visit import Refused, Visit
from sagas.processes import PROCESSES

SIZE: Final = 50
MODEL: Final = "sagas"

NEEDS_PERSON: Final = (Status.COMPENSATION_FAILED, Status.STUCK, Status.PARKED)
UNDER_WAY: Final = (Status.RUNNING, Status.COMPENSATING, *NEEDS_PERSON)
FIRST: Final = "needs-a-person"
STATES: Final[dict[str, tuple[str, tuple[Status, ...]]]] = {
    "needs-a-person": ("needs a person", NEEDS_PERSON),
    "under-way": ("under way", UNDER_WAY),
    **{status.lower().replace("_", "-"): (WORDS[status], (status,)) for status in UNDER_WAY},
    "ended": ("ended", (Status.ENDED,)),
}
"""How the address names states, what a person calls them, which they are."""

ALL: Final = "all"
"""Said in the address by who wants to see more than what needs a person."""
END: Final = 8
"""So many characters of an id are shown in lists, and can be searched for."""
SLOW: Final = "slow"
AGES: Final = {"1m": timedelta(minutes=1), "10m": timedelta(minutes=10), "1h": timedelta(hours=1),
               "1d": timedelta(days=1)}  # fmt: skip
OF_IDS: Final = frozenset("0123456789abcdef-")
LONGEST: Final = 36
SORTS: Final = {"newest": NEWEST_FIRST, "oldest": OLDEST_FIRST}

ROOTS: Final = """
SELECT id, state #>> '{saga,wish,code}' FROM reads.sagas
WHERE id = ANY(%s) AND state #>> '{saga,wish,code}' IS NOT NULL
"""
COUNTS: Final = "SELECT status, count(*) FROM reads.sagas WHERE status = ANY(%s) GROUP BY status"

BY_IDS: Final = sql.SQL("SELECT {} FROM {} t WHERE id = ANY(%s)").format(
    SAGA_LINES.table.selected(), sql.Identifier(READS, SAGA_LINES.table.name)
)


BY_END: Final = sql.SQL(
    "SELECT {} FROM {} t WHERE (right(id::text, 8) = %s OR right(key::text, 8) = %s OR right(order_id::text, 8) = %s)"
    " AND (id::text LIKE %s OR key::text LIKE %s OR order_id::text LIKE %s) ORDER BY started_at DESC, id DESC LIMIT %s"
).format(SAGA_LINES.table.selected(), sql.Identifier(READS, SAGA_LINES.table.name))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for. `business` is the id of a saga, an order, a payment or a return, or the end of one."""

    state: str | None
    process: str | None
    waits: WaitsFor | None
    step: str | None
    code: str | None
    age: str | None
    business: UUID | str | None
    sort: str
    after: str | None
    before: str | None

    @property
    def ordering(self) -> Ordering:
        return SORTS[self.sort]

    def conditions(self, now: datetime) -> list[Condition]:
        found: list[Condition] = []
        if self.state:
            found.append(Condition("status", "in", list(STATES[self.state][1])))
        if self.age:
            found.append(Condition("status", "in", list(UNDER_WAY)))
        if self.age in AGES:
            found.append(Condition("started_at", "lte", now - AGES[self.age]))
        equal = {"process": self.process, "waits_for": self.waits, "step": self.step, "code": self.code}
        return [*found, *(Condition(name, "eq", value) for name, value in equal.items() if value)]


def wanted(visit: Visit) -> Wanted:
    """Raises Refused for values that there are not, and says which there are."""
    return Wanted(
        state=one_of(visit, "state", [*STATES, ALL]) if visit.asked("state") != ALL else None,
        process=one_of(visit, "process", PROCESSES),
        waits=WaitsFor(waits.upper()) if (waits := one_of(visit, "waits", [w.lower() for w in WaitsFor])) else None,
        step=visit.asked("step"),
        code=visit.asked("code"),
        age=one_of(visit, "age", [SLOW, *AGES]),
        business=business(visit.asked("q")),
        sort=one_of(visit, "sort", SORTS) or "newest",
        after=visit.asked("after"),
        before=visit.asked("before"),
    )


def one_of(visit: Visit, name: str, allowed: Iterable[str]) -> str | None:
    value, names = visit.asked(name), list(allowed)
    if value is not None and value not in names:
        raise Refused(400, f"{name}={value} is not known", f"It is one of {', '.join(names)}.")
    return value


def business(text: str | None) -> UUID | str | None:
    """Raises Refused for what is neither an id nor the end of one."""
    if text is None:
        return None
    with suppress(ValueError):
        return UUID(text)
    end = text.lower().lstrip("\N{HORIZONTAL ELLIPSIS}.")
    if len(end) < END or len(end) > LONGEST or not set(end) <= OF_IDS:
        raise Refused(
            400, f"{text} is no id", "Search for the id of a saga, an order, a payment or a return, or for the"
            f" last {END} characters of one or more, as lists show them."
        )  # fmt: skip
    return end


# -- what is found -----------------------------------------------------------------------------------------------------


async def found(pool: Pool, asked: Wanted, takes: Usual, now: datetime) -> Listed[SagaLine]:
    if isinstance(asked.business, str):
        return await found_by_end(pool, asked.business)
    if asked.business is not None:
        return await found_by(pool, asked.business)
    where, wanted_page = asked.conditions(now), page(SIZE, asked.after, asked.before)
    if asked.age != SLOW:
        return await listed(pool, SAGA_LINES, where, asked.ordering, wanted_page)
    return await slow(pool, where, asked, takes, now)


async def slow(pool: Pool, where: list[Condition], asked: Wanted, takes: Usual, now: datetime) -> Listed[SagaLine]:
    """Each process has a measure of its own; what is found by them is one list again."""
    wanted_page = page(SIZE, asked.after, asked.before)
    parts = [
        await listed(pool, SAGA_LINES, [*where, Condition("process", "eq", process),
                                   Condition("started_at", "lte", now - timedelta(seconds=most))],
                     asked.ordering, wanted_page)
        for process, (_, most) in takes.items()
        if asked.process in (None, process)
    ]  # fmt: skip
    rows = [row for part in parts for row in part.rows if mark_of(row, "started_at")]
    rows.sort(key=in_order, reverse=asked.ordering.descending)
    kept = rows[-SIZE:] if wanted_page.backward else rows[:SIZE]
    return Listed(kept, more=len(rows) > SIZE or any(part.more for part in parts))


def in_order(row: SagaLine | Odd) -> tuple[datetime, UUID]:
    mark = mark_of(row, "started_at")
    assert mark is not None, "a row without a place is not in the list"
    return mark.value, mark.id


async def found_by(pool: Pool, id: UUID) -> Listed[SagaLine]:
    """All that have to do with it, the newest first."""
    payment = payment_of(OrderId(id))
    ids = await by_ids(pool, [id, checkout_of(payment), cancellation_of(payment)])
    keyed = [
        row
        for column in ("order_id", "key")
        for row in (await listed(pool, SAGA_LINES, [Condition(column, "eq", id)], NEWEST_FIRST, Page(SIZE))).rows
    ]
    unique = {str(row.id): row for row in [*ids, *keyed]}
    return Listed(sorted(unique.values(), key=newest_first, reverse=True), more=False)


async def found_by_end(pool: Pool, end: str) -> Listed[SagaLine]:
    """By the last characters of the saga's id, its order's or its key's: of the last eight there are indexes."""
    rows = await read(pool, SAGA_LINES, Statement(BY_END, [end[-END:]] * 3 + [f"%{end}"] * 3 + [SIZE + 1]))
    return Listed(rows[:SIZE], more=False)


def newest_first(row: SagaLine | Odd) -> str:
    return "" if isinstance(row, Odd) else row.started_at.isoformat()


async def by_ids(pool: Pool, ids: Sequence[UUID]) -> list[SagaLine | Odd]:
    return await read(pool, SAGA_LINES, Statement(BY_IDS, [list(ids)]))


async def counts(pool: Pool) -> dict[str, int]:
    """Of the states under way, by how the address names them."""
    async with connected(pool) as connection:
        rows = dict(await (await connection.execute(COUNTS, [list(UNDER_WAY)])).fetchall())
    return {name: sum(rows.get(status, 0) for status in of) for name, (_, of) in STATES.items() if name != "ended"}


# -- what is shown -----------------------------------------------------------------------------------------------------

Line = Shown | Odd


async def lines(pool: Pool, rows: Sequence[SagaLine | Odd], takes: Usual, now: datetime) -> list[Line]:
    roots = await roots_of(pool, rows)
    return [row if isinstance(row, Odd) else line(row, takes, now, roots.get(row.id)) for row in rows]


def line(row: SagaLine, takes: Usual, now: datetime, root: str | None = None) -> Line:
    try:
        return shown(row, takes, now, root)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with one, the others are shown
        return unshowable(row, error)


async def roots_of(pool: Pool, rows: Sequence[SagaLine | Odd]) -> dict[UUID, str]:
    """Of those that need a person: why they left their way."""
    ids = [row.id for row in rows if not isinstance(row, Odd) and row.status in NEEDS_PERSON]
    if not ids:
        return {}
    async with connected(pool) as connection:
        return dict(await (await connection.execute(ROOTS, [ids])).fetchall())


async def show(visit: Visit) -> Response:
    """What needs a person, where something does and nothing else was asked for; the address says so."""
    if not visit.request.query_params and (await counts(visit.desk.reads))[FIRST]:
        return visit.go("/sagas", state=FIRST)
    asked, desk, now = wanted(visit), visit.desk, visit.desk.now()
    position = await desk.news.position(MODEL)
    takes = await desk.healthy.takes()
    page_found = await found(desk.reads, asked, takes, now)
    shown_lines = await lines(desk.reads, page_found.rows, takes, now)
    return visit.page(
        "sagas.html",
        asked=asked,
        lines=shown_lines,
        counts=await counts(desk.reads),
        news=0,
        live=live_address(visit, page_found.rows, position),
        earlier=earlier(asked, page_found),
        later=later(asked, page_found),
        choices={"states": STATES, "processes": list(PROCESSES), "waits": WAITS, "ages": [SLOW, *AGES],
                 "steps": steps(), "sorts": list(SORTS), "tones": TONES,
                 "actions": [kind.lower() for kind in ActionKind]},
    )  # fmt: skip


def steps() -> list[str]:
    """Of every definition there is, in order."""
    names: dict[str, None] = {}
    for process in PROCESSES.values():
        for definition in process.definitions.values():
            each = [*definition.steps, *definition.over, *definition.late]
            each += [step.undo for step in definition.steps if step.undo]
            names |= dict.fromkeys(step.name for step in [*each, *([definition.close] if definition.close else [])])
    return list(names)


def earlier(asked: Wanted, listed: Listed[SagaLine]) -> str | None:
    """The place before which the page before ends; None on the first page."""
    there_is = listed.more if asked.before else asked.after is not None
    return edge(listed.rows, 0) if there_is else None


def later(asked: Wanted, listed: Listed[SagaLine]) -> str | None:
    there_is = listed.more if asked.before is None else True
    return edge(listed.rows, -1) if there_is else None


def edge(rows: Sequence[SagaLine | Odd], at: int) -> str | None:
    known = [mark for row in rows if (mark := mark_of(row, "started_at"))]
    return place(known[at].value, known[at].id) if known else None


# -- while somebody looks ----------------------------------------------------------------------------------------------


def live_address(visit: Visit, rows: Sequence[SagaLine | Odd], position: str) -> str:
    """The page's own, with what it shows: those rows stay where they are, and what is new is announced."""
    shown = b"".join(UUID(str(row.id)).bytes for row in rows if str(row.id))
    here = visit.request.url.include_query_params(shown=urlsafe_b64encode(shown).decode(), seen=position)
    return f"{visit.request.url.path}/live?{here.query}"


async def live(visit: Visit) -> Response:
    asked, ids = wanted(visit), shown_ids(visit.asked("shown") or "")
    seen = visit.request.headers.get("last-event-id") or visit.asked("seen") or ""

    async def made() -> str:
        desk, now = visit.desk, visit.desk.now()
        takes = await desk.healthy.takes()
        rows = {str(row.id): row for row in await by_ids(desk.reads, ids)}
        kept = [rows[str(id)] for id in ids if str(id) in rows]
        news = 0 if asked.after or asked.before else await newer(desk, asked, takes, rows)
        return visit.html("saga_rows.html", asked=asked, lines=await lines(desk.reads, kept, takes, now), news=news,
                          counts=await desk.once(MODEL, COUNTS, lambda: counts(desk.reads)),
                          choices={"states": STATES, "tones": TONES})  # fmt: skip

    async def fragment() -> str:
        return await visit.desk.once(MODEL, ("sagas", link(visit), tuple(ids), visit.may(BULK)), made)

    return stream(visit.desk.news, MODEL, fragment, seen=seen, stopping=visit.desk.stopping)


async def newer(desk: Desk, asked: Wanted, takes: Usual, shown: Container[str]) -> int:
    """How many would be on the first page that are not shown."""
    first = await desk.once(MODEL, asked, lambda: found(desk.reads, asked, takes, desk.now()))
    return sum(str(row.id) not in shown for row in first.rows)


def shown_ids(text: str) -> list[UUID]:
    """Raises Refused for what is no list of ids."""
    try:
        packed = urlsafe_b64decode(text)
        return [UUID(bytes=packed[at : at + 16]) for at in range(0, len(packed), 16)][: SIZE * 2]
    except ValueError:
        raise Refused(400, "This address is not complete", "It should name the rows that are shown.") from None
