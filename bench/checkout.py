"""checkout: from the POST that places an order to the end of its saga, when goods are committed and money is taken.

Case `embedded` is 64 buyers of one process with all its duties, read models too, and a gateway in memory; the ceiling
is what the log takes in events a second from 32 callers, divided by the events that one checkout writes. Case `latency`
is one undisturbed checkout after another through the adapter of production and the sandbox, over loopback.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import chain

import uvloop

from bench.append import measure as append_rate
from bench.checkouts import buy, recorded, watched
from bench.cpu import Cpu, used
from bench.report import Figure, percentile, progress
from bench.server import fresh_server
from bench.shop import Shop, open_shop, post

BUYERS = 64
WARM_UP = 200  # checkouts before it is measured: what is compiled and planned once is no checkout's
ONE_AFTER_ANOTHER = 100
GOODS = 1_000_000
MANY, ALONE = 0.01, 0.002  # seconds between looks at how checkouts end: of many together, and of one alone


async def bought(shop: Shop, buyers: int, orders: Iterator[int]) -> list[float]:
    """Seconds of each checkout."""
    async with watched(shop.database, ALONE if buyers == 1 else MANY) as ends:
        return [*chain.from_iterable(await asyncio.gather(*(buy(shop, ends, orders) for _ in range(buyers))))]


def stocked(shop: Shop) -> None:
    variant = shop.order["lines"][0]["variantId"]
    post(shop.address, shop.staff, f"/v1/stock/{variant}/receive", {"quantity": GOODS})


def ceiling(seconds: float) -> float:
    """Events a second."""
    with fresh_server() as conninfo:
        return uvloop.run(append_rate(conninfo, 32, seconds, keyed=False)).rate


def embedded(checkouts: int) -> tuple[float, float]:
    """Checkouts a second, and events of one."""
    with open_shop("memory") as shop:
        stocked(shop)
        progress(f"embedded: {checkouts} checkouts, {BUYERS} at a time")
        uvloop.run(bought(shop, BUYERS, iter(range(WARM_UP))))
        before, cpu, began = recorded(shop.database), used(shop), time.perf_counter()
        took = uvloop.run(bought(shop, BUYERS, iter(range(checkouts))))
        seconds, spent = time.perf_counter() - began, used(shop) - cpu
        wrote = {name: (head - before[name]) / checkouts for name, head in recorded(shop.database).items()}
    progress(f"p50 {percentile(took, 0.5) * 1e3:.0f} p99 {percentile(took, 0.99) * 1e3:.0f} ms")
    progress(f"events of one: {sum(wrote.values()):.1f} {wrote}")
    progress(told(spent, checkouts))
    return checkouts / seconds, sum(wrote.values())


def told(spent: Cpu, checkouts: int) -> str:
    python, postgres = (1e3 * each / checkouts for each in spent)
    return f"of the processors one takes {python:.1f} ms in Python, {postgres:.1f} ms in PostgreSQL"


def latency() -> None:
    with open_shop() as shop:
        stocked(shop)
        progress(f"latency: {ONE_AFTER_ANOTHER} checkouts, one after another")
        uvloop.run(bought(shop, 1, iter(range(20))))
        took = uvloop.run(bought(shop, 1, iter(range(ONE_AFTER_ANOTHER))))
    Figure("checkout", "latency", percentile(took, 0.5) * 1e3, "ms", goal="<= 100").show()
    progress(f"p99 {percentile(took, 0.99) * 1e3:.1f} max {max(took) * 1e3:.1f} ms")


def main(seconds: float = 5, checkouts: int = 2000) -> None:
    progress("the log, 32 callers")
    before = ceiling(seconds)
    rate, events = embedded(checkouts)
    progress("the log again, so that the ceiling is from both ends of the run")
    most = (before + ceiling(seconds)) / 2 / events
    Figure("checkout", "embedded", rate, "1/s", most, ">= 0.15").show()
    latency()
