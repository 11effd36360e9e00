"""dashboard: ten thousand sagas and one of two thousand events, looked at by somebody who is signed in.

Every page of the menu, every list filtered, searched and at its second page, and one of each thing, as `chobo serve
dashboard` serves it beside `chobo work projections`; the clock is the visitor's, over loopback. Case `live`: the
processor time of that process for fifty open pages while a few sagas move every second.
"""

from __future__ import annotations

import asyncio
from contextlib import closing

from bench.dashboard_live import MOVES, Cost, cost
from bench.dashboard_pages import Met, Visitor, met
from bench.dashboard_shop import SAGAS, opened
from bench.report import Figure, progress

TIMES = 40  # each page is asked for


def shown(pages: list[Met]) -> None:
    for page in pages:
        progress(page.line)
        Figure("dashboard", f"{page.name}: p95", page.p95, "ms").show()
        Figure("dashboard", f"{page.name}: weight", page.weight / 1e3, "kB").show()
    slowest, heaviest = max(pages, key=lambda page: page.p95), max(pages, key=lambda page: page.weight)
    progress(f"the slowest is {slowest.name}, the heaviest {heaviest.name}, as sent {heaviest.sent / 1e3:.1f} kB")
    Figure("dashboard", "slowest page: p95", slowest.p95, "ms", goal="<= 50").show()
    Figure("dashboard", "heaviest page", heaviest.weight / 1e3, "kB", goal="<= 150").show()


def told(found: Cost) -> None:
    a_second, kilobytes = found.seen.messages / found.seconds, found.seen.bytes / 1e3 / found.seconds
    progress(f"{a_second:.1f} messages a second, {kilobytes:.0f} kB; {MOVES:g} sagas moved a second")
    progress(f"processors: {found.open} with pages open, {found.closed} with none")
    Figure("dashboard", "live", found.open.python, "cores", goal="< 0.2").show()
    Figure("dashboard", "live-postgres", found.open.postgres - found.closed.postgres, "cores").show()


def main(sagas: int = SAGAS, times: int = TIMES, seconds: float = 20) -> None:
    with opened(sagas) as house, closing(Visitor(house)) as visitor:
        progress(f"every page {times} times")
        shown(met(visitor, times))
        progress("fifty open pages")
        told(asyncio.run(cost(visitor, seconds)))
