"""command: orders placed a second over HTTP by 32 clients, beside a route of the same app that does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench.app import PATH
from bench.report import Figure, progress
from bench.shop import Shop, open_shop

CLIENTS = 32


def loaded(shop: Shop, path: str, seconds: float) -> dict[str, Any]:
    """What 32 clients in a process of their own met. Every answer must have been a success."""
    command = [sys.executable, "-m", "bench.http_load", shop.address, path, shop.token, json.dumps(shop.order)]
    done = subprocess.run([*command, str(CLIENTS), str(seconds)], stdout=subprocess.PIPE, check=True)
    met: dict[str, Any] = json.loads(done.stdout)
    assert not met["failed"], f"{met['failed']} requests to {path} failed"
    return met


def main(seconds: float = 5) -> None:
    with open_shop() as shop:
        progress("warming up")
        loaded(shop, PATH, 1)
        loaded(shop, "/v1/orders", 1)
        progress("nothing, with 32 clients")
        before = loaded(shop, PATH, seconds)["rate"]
        progress("placing orders, with 32 clients")
        placed = loaded(shop, "/v1/orders", seconds)
        ceiling = (before + loaded(shop, PATH, seconds)["rate"]) / 2
    Figure("command", "c32", placed["rate"], "1/s", ceiling, ">= 0.4").show()
    progress(f"p50 {placed['p50']:.1f} p99 {placed['p99']:.1f} max {placed['max']:.1f} ms")
