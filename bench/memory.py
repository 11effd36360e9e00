"""memory: what `chobo up` holds when nobody asks anything of it."""

from __future__ import annotations

import time

import psutil

from bench.report import Figure, progress
from bench.shop import open_shop

SETTLED = 5  # seconds without a request


def main() -> None:
    with open_shop() as shop:
        progress(f"idle for {SETTLED} s")
        time.sleep(SETTLED)
        resident = psutil.Process(shop.pid).memory_info().rss / 2**20
    Figure("memory", "idle", resident, "MB", goal="<= 300").show()
