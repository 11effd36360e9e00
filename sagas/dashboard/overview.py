"""The first page: what needs a person, then how the shop does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from sagas.dashboard.access import BULK
from sagas.dashboard.desk import Desk
from sagas.dashboard.figures import COUNTED, WINDOWS, Figures, checkout_charts, figures
from sagas.dashboard.ticking import TICK, ticking
from sagas.dashboard.visit import Refused, Visit

USUAL: Final = "1h"
FRESH: Final = TICK - 0.1  # seconds for which all who look see the same


@dataclass(frozen=True, slots=True)
class Need:
    """Something that goes no further without a person; `path` is where one acts on it."""

    what: str
    count: str
    why: str
    path: str
    since: datetime | None


def needs(found: Figures) -> Iterator[Need]:
    """Beside sagas, which have a table of their own: the most urgent first."""
    if found.parked:
        sequences, behind = sum(g.sequences for g in found.parked), sum(g.waiting for g in found.parked)
        causes = "one cause" if len(found.parked) == 1 else f"{len(found.parked)} causes"
        since = min(group.since for group in found.parked)
        why = f"{causes}, {behind:,} {'event waits' if behind == 1 else 'events wait'} behind"
        yield Need("Parked sequences", f"{sequences:,}", why, "/parked", since)
    for stopped in found.stopped:
        why = f"{stopped.consumer} of {stopped.context}: {stopped.reason}"
        yield Need("Stopped consumer", "1", why, stopped.path, None)
    if found.webhooks:
        since = found.webhooks[-1].created_at
        yield Need("Unmatched webhooks", counted(found.webhooks_count), "about no payment of ours", "/#webhooks", since)
    if found.outcomes:
        why, since = "the gateway told of what fits no attempt", found.outcomes[-1].created_at
        yield Need("Unmatched outcomes", counted(found.outcomes_count), why, "/#outcomes", since)
    if replays := found.failed_replays:
        why = replays[0].explanation or "no more was said"
        yield Need("Failed replays", str(len(replays)), why, "/audit?status=FAILED", replays[-1].requested_at)
    if others := [row for row in found.failed if row not in replays]:
        why = f"the last: {others[0].kind}, {others[0].explanation or 'no more was said'}"
        yield Need("Failed operations", str(len(others)), why, "/audit?status=FAILED", others[-1].requested_at)
    if found.unreadable:
        what, first = found.unreadable[0]
        why = f"the first: {what} {first.id}, {first.why}"
        yield Need("Unreadable rows", str(len(found.unreadable)), why, "/#unreadable", None)
    if found.mails:
        why = "within a day; nobody was told"
        yield Need("Failed notifications", f"{found.mails:,}", why, "/notifications?status=FAILED", None)


def counted(count: int) -> str:
    return f"{COUNTED:,} or more" if count >= COUNTED else str(count)


async def show(visit: Visit) -> Response:
    return visit.page("overview.html", **await values(visit))


async def live(visit: Visit) -> Response:
    """Made once for all who look at the same; who may act in bulk sees where."""
    name = window(visit)

    async def made() -> str:
        return visit.html("overview_figures.html", **await values(visit))

    async def fragment() -> str:
        return await visit.desk.shared.of(("overview, made", name, visit.may(BULK)), FRESH, made)

    return ticking(fragment, visit.desk.stopping)


async def values(visit: Visit) -> dict[str, Any]:
    """Looked up once for all who look; the charts, for all who look at the same window."""
    desk, name = visit.desk, window(visit)
    found = await desk.shared.of("overview", FRESH, partial(looked_up, desk))
    drawn = await desk.shared.of(
        ("charts", name), FRESH, lambda: checkout_charts(desk.reads, WINDOWS[name], desk.now())
    )  # fmt: skip
    shown = {"found": found, "drawn": drawn, "needs": list(needs(found)), "in_bulk": visit.may(BULK)}
    return shown | {"window": name, "windows": WINDOWS}


async def looked_up(desk: Desk) -> Figures:
    return await figures(desk.reads, await desk.healthy.takes(), desk.now())


def window(visit: Visit) -> str:
    """Raises Refused for one that there is not."""
    asked = visit.asked("window") or USUAL
    if asked not in WINDOWS:
        raise Refused(400, "There is no such window", f"{asked!r} is none: it is {', '.join(WINDOWS)}.")
    return asked
