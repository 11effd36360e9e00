"""visible: from the POST that places an order to the moment GraphQL shows it.

Case `embedded` is one process whose read models follow the log; case `kafka` goes through relay, broker and topic. In
both the checkout of the order before is over. `-busy`: the next order is placed at once, so that the same process is at
work on as many checkouts as it can bear.
"""

from __future__ import annotations

import time
from uuid import uuid4

import httpx

from bench.report import Figure, percentile, progress
from bench.shop import Shop, open_shop

ORDERS = 100
CHECKOUT = 0.4  # seconds in which the saga of an order has ended, also through Kafka
QUERY = "query Placed($id: ID!) { order(id: $id) { status version } }"


def seen_after(client: httpx.Client, shop: Shop) -> float:
    """Seconds until a query without a consistency token shows the new order."""
    began = time.perf_counter()
    placed = client.post("/v1/orders", json=shop.order, headers={"Idempotency-Key": str(uuid4())})
    placed.raise_for_status()
    body = {"query": QUERY, "variables": {"id": placed.json()["id"]}}
    while True:
        answer = client.post("/graphql", json=body).json()
        assert "errors" not in answer, answer
        if answer["data"]["order"] is not None:
            return time.perf_counter() - began


def measured(case: str, goal: str, *how: str) -> None:
    with open_shop(*how) as shop:
        headers = {"Authorization": f"Bearer {shop.token}"}
        with httpx.Client(base_url=shop.address, headers=headers, timeout=30) as client:
            progress(f"{case}: {ORDERS} orders, each after the checkout of the one before")
            show(case, seen(client, shop, CHECKOUT), goal)
            progress(f"{case}: {ORDERS} orders, one after another")
            show(f"{case}-busy", seen(client, shop, 0), "")


def seen(client: httpx.Client, shop: Shop, pause: float) -> list[float]:
    """Seconds of each, without the first few."""
    waits = []
    for _ in range(ORDERS + 20):
        waits.append(seen_after(client, shop))
        time.sleep(pause)
    return waits[20:]


def show(case: str, waits: list[float], goal: str) -> None:
    Figure("visible", case, percentile(waits, 0.5) * 1e3, "ms", goal=goal).show()
    progress(f"p99 {percentile(waits, 0.99) * 1e3:.1f} max {max(waits) * 1e3:.1f} ms")


def main() -> None:
    measured("embedded", "<= 15")
    measured("kafka", "<= 30", "kafka")
