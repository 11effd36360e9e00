"""Figures of the shop as a whole, for the overview: each by an index, over a bounded stretch of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from psycopg.types.json import Jsonb

from domain.sagas.saga import Status
from projections import lag
from projections import parked as park
from projections.lag import Standing
from projections.listing import Condition, Listing, Ordering, Page
from projections.operations.queries import LATEST_FIRST, OPERATIONS
from projections.operations.row import OperationRow
from projections.parked import Group
from projections.payments.queries import UNMATCHED, UNMATCHED_WEBHOOKS
from projections.payments.row import UnmatchedRow, UnmatchedWebhookRow
from projections.pool import Pool, connected
from projections.sagas.queries import Usual
from projections.table import R
from sagas.advice import RULES_FAILED, Remedy, remedy
from sagas.dashboard.charts import Chart, Series, nice_time, whole
from sagas.dashboard.odd import Odd
from sagas.dashboard.rows import listed
from sagas.dashboard.views import lasting

STRETCHES: Final = 60  # into which a window is divided
WINDOWS: Final = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
}
DAY: Final = timedelta(days=1)
MOST_FAILED: Final = 100  # operations
SHOWN: Final = 10  # of each kind of thing that is listed
COUNTED: Final = 1_000  # so many are counted, then it is "1,000 or more"

NEED_PERSON: Final = [Status.STUCK, Status.COMPENSATION_FAILED, Status.PARKED]
UNDER_WAY: Final = [status for status in Status if status is not Status.ENDED]

SAGAS_BY_STATUS: Final = """
SELECT status, count(*), min(since) FROM reads.sagas WHERE status = ANY(%s) GROUP BY status
"""

STUCK: Final = """
SELECT process, step, code, currency, count(*), min(since), sum(held + captured - refunded)::bigint
FROM reads.sagas WHERE status = ANY(%s) GROUP BY process, step, code, currency ORDER BY count(*) DESC, min(since)
"""

CHECKOUTS: Final = """
SELECT floor(extract(epoch FROM %(now)s - started_at) / %(stretch)s)::int AS stretch, count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.95) WITHIN GROUP (ORDER BY took)
FROM reads.sagas WHERE process = 'checkout' AND started_at > %(since)s AND started_at <= %(now)s
GROUP BY stretch
"""

AGES: Final = """
SELECT process, count(*), min(started_at), count(*) FILTER (
    WHERE extract(epoch FROM %(now)s - started_at) > (%(most)s::jsonb ->> process)::float8),
    count(*) FILTER (WHERE status = 'COMPENSATING')
FROM reads.sagas WHERE status = ANY(%(under_way)s) GROUP BY process ORDER BY process
"""

LATE: Final = """
SELECT count(*), min(due_at) FROM projections.todo
WHERE status IN ('OPEN', 'PAUSED') AND last_error IS NOT NULL
"""

STOPPED: Final = """
SELECT consumer, context, coalesce(reason, 'no more was said') FROM projections.checkpoints
WHERE status = 'STOPPED' ORDER BY consumer, context
"""

MAILS: Final = "SELECT count(*) FROM reads.notifications WHERE status = 'FAILED' AND requested_at >= %s"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Sagas in one state: how many, and since when the first of them is in it."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Stuck:
    """Sagas that need a person for the same reason. `money` is what they hold or took of customers, by currency."""

    process: str
    step: str | None
    code: str | None
    count: int
    since: datetime
    money: Mapping[str, int]

    @property
    def remedy(self) -> Remedy:
        return remedy(self.process, self.step, self.code or "") if self.step else RULES_FAILED

    @property
    def query(self) -> str:
        """The same in an address of the list of sagas."""
        asked = {"state": "needs-a-person", "process": self.process, "step": self.step, "code": self.code}
        return urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Ages:
    """Of one process: how many are under way, the oldest, how many are older than what 95 % take, how many go back.

    `half` and `most` are what is usual.
    """

    process: str
    count: int
    oldest: datetime
    slow: int
    back: int
    half: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A consumer that goes no further; `reason` says why."""

    consumer: str
    context: str
    reason: str

    @property
    def path(self) -> str:
        """Where more is to be seen."""
        model, _, generation = self.consumer.partition("@")
        return f"/models/{model}" if generation else f"/events?context={self.context}"


@dataclass(frozen=True, slots=True)
class Figures:
    at: datetime
    sagas: Mapping[Status, Waiting]
    stuck: Sequence[Stuck]
    ages: Sequence[Ages]
    parked: Sequence[Group]
    webhooks: Sequence[UnmatchedWebhookRow]
    webhooks_count: int
    outcomes: Sequence[UnmatchedRow]
    outcomes_count: int
    failed: Sequence[OperationRow]
    standings: Sequence[Standing]
    stopped: Sequence[Stopped]
    todos: int
    todos_since: datetime | None
    mails: int
    unreadable: Sequence[tuple[str, Odd]] = ()
    """Rows of those above that cannot be read, with what they are."""

    @property
    def failed_replays(self) -> list[OperationRow]:
        return [row for row in self.failed if row.kind.startswith("replay.")]

    @property
    def live(self) -> list[Standing]:
        return [standing for standing in self.standings if standing.state == "LIVE"]


async def figures(pool: Pool, takes: Usual, now: datetime) -> Figures:
    """`takes` is how long sagas usually take."""
    latest = Ordering("created_at", descending=True)
    async with connected(pool) as connection:
        by_status = await (await connection.execute(SAGAS_BY_STATUS, [UNDER_WAY])).fetchall()
        stuck = await (await connection.execute(STUCK, [NEED_PERSON])).fetchall()
        groups = await park.groups(connection)
        standings = await lag.standings(connection)
        stopped = await (await connection.execute(STOPPED)).fetchall()
        todos = await (await connection.execute(LATE)).fetchone()
        mails = await (await connection.execute(MAILS, [now - DAY])).fetchone()
    failed = [Condition("status", "eq", "FAILED"), Condition("requested_at", "gte", now - DAY)]
    assert todos is not None
    assert mails is not None
    odd: list[tuple[str, Odd]] = []
    return Figures(
        at=now,
        sagas={Status(status): Waiting(count, since) for status, count, since in by_status},
        stuck=stuck_of(stuck),
        ages=await ages(pool, takes, now),
        parked=groups,
        webhooks=await readable(pool, UNMATCHED_WEBHOOKS, [], latest, SHOWN, ("webhook", odd)),
        webhooks_count=await UNMATCHED_WEBHOOKS.count(pool, [], COUNTED),
        outcomes=await readable(pool, UNMATCHED, [], latest, SHOWN, ("outcome", odd)),
        outcomes_count=await UNMATCHED.count(pool, [], COUNTED),
        failed=await readable(pool, OPERATIONS, failed, LATEST_FIRST, MOST_FAILED, ("operation", odd)),
        standings=standings,
        stopped=[Stopped(*row) for row in stopped],
        todos=todos[0],
        todos_since=todos[1],
        mails=mails[0],
        unreadable=odd,
    )


def stuck_of(rows: Sequence[tuple[str, str | None, str | None, str | None, int, datetime, int]]) -> list[Stuck]:
    """One for each process, step and code; the rows are by currency as well. The most first."""
    found: dict[tuple[str, str | None, str | None], Stuck] = {}
    for process, step, code, currency, count, since, money in rows:
        before = found.get((process, step, code), Stuck(process, step, code, 0, since, {}))
        sums = dict(before.money) | ({currency: money} if currency and money else {})
        found[process, step, code] = replace(
            before, count=before.count + count, since=min(since, before.since), money=sums
        )
    return sorted(found.values(), key=lambda each: -each.count)


async def readable(
    pool: Pool,
    listing: Listing[R],
    where: Sequence[Condition],
    ordering: Ordering,
    size: int,
    odd: tuple[str, list[tuple[str, Odd]]],
) -> list[R]:
    """Those that cannot be read are put aside, under what they are."""
    (what, aside), found = odd, await listed(pool, listing, where, ordering, Page(size))
    aside += [(what, row) for row in found.rows if isinstance(row, Odd)]
    return [row for row in found.rows if not isinstance(row, Odd)]


async def ages(pool: Pool, takes: Usual, now: datetime) -> list[Ages]:
    most = {process: p95 for process, (_, p95) in takes.items()}
    values = {"now": now, "under_way": UNDER_WAY, "most": Jsonb(most)}
    async with connected(pool) as connection:
        found = await (await connection.execute(AGES, values)).fetchall()
    return [
        Ages(process, count, oldest, slow, back, *takes.get(process, (None, None)))
        for process, count, oldest, slow, back in found
    ]


async def checkout_charts(pool: Pool, window: timedelta, now: datetime) -> list[Chart]:
    """In stretches that end now, so that the last one is as long as the others."""
    stretch = window.total_seconds() / STRETCHES
    values = {"stretch": stretch, "now": now, "since": now - window}
    async with connected(pool) as connection:
        cursor = await connection.execute(CHECKOUTS, values)
        found: dict[int, Any] = {number: rest for number, *rest in await cursor.fetchall()}
    backwards = range(STRETCHES - 1, -1, -1)
    starts = [now - timedelta(seconds=(number + 1) * stretch) for number in backwards]
    rows = [found.get(number, (0, None, None)) for number in backwards]
    a_minute = [count * 60 / stretch for count, _, _ in rows]
    orders = Series("orders", "busy", a_minute)
    half, most = Series("p50", "busy", [row[1] for row in rows]), Series("p95", "back", [row[2] for row in rows])
    return [
        Chart("Orders a minute", "bars", starts, [orders], whole),
        Chart("Checkout, from placing to its end", "steps", starts, [half, most], lasting, nice_time),
    ]
