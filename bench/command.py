"""command: commands a second over HTTP by 32 clients, beside rows of the same table that take the same and do nothing.

`c32` receives goods, each client on a stock of its own: a keyed command of one small event. `order-c32` places orders:
quoted, taxed, with an address that is sealed, and folded into a read model by the same process meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench.report import Figure, progress
from bench.shop import Shop, open_shop

CLIENTS = 32


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    paths: list[str]
    nothing: list[str]
    token: str
    body: dict[str, Any]
    goal: str = ""


def loaded(shop: Shop, case: Case, paths: list[str], seconds: float) -> dict[str, Any]:
    """What 32 clients in a process of their own met. Every answer must have been a success."""
    command = [sys.executable, "-m", "bench.http_load", shop.address, ",".join(paths), case.token]
    command += [json.dumps(case.body), str(CLIENTS), str(seconds)]
    met: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert not met["failed"], f"{met['failed']} requests to {paths[0]} failed"
    return met


def measure(shop: Shop, case: Case, seconds: float) -> None:
    progress(f"{case.name}: warming up")
    loaded(shop, case, case.paths, 1)
    progress(f"{case.name}: nothing, the command, nothing again, with the same token and body")
    before = loaded(shop, case, case.nothing, seconds)["rate"]
    met = loaded(shop, case, case.paths, seconds)
    ceiling = (before + loaded(shop, case, case.nothing, seconds)["rate"]) / 2
    Figure("command", case.name, met["rate"], "1/s", ceiling, case.goal).show()
    progress(f"p50 {met['p50']:.1f} p99 {met['p99']:.1f} max {met['max']:.1f} ms")


def main(seconds: float = 5) -> None:
    with open_shop() as shop:
        receive = [f"{variant}/receive" for variant in shop.variants(CLIENTS)]
        stock, nothing = [f"/v1/stock/{path}" for path in receive], [f"/v1/nothing/{path}" for path in receive]
        measure(shop, Case("c32", stock, nothing, shop.staff, {"quantity": 1}, ">= 0.4"), seconds)
        measure(shop, Case("order-c32", ["/v1/orders"], ["/v1/nothing"], shop.token, shop.order), seconds)
