"""graphql: a page of 50 orders with customer, lines and payment, by 16 connections to one process.

`orders-page`: beside a route that answers with the same SQL's bytes and does nothing else. `executor`: beside the same
document without the compiled path. `pgbench`: beside pgbench calling the same SQL. `deep`: page 2,000 beside page 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import httpx

from bench.graphql_rows import function_of, multiplied
from bench.pgbench import calls_per_second
from bench.report import Figure, progress
from bench.shop import Shop, open_shop, post

CLIENTS = 16
PAGE = 50
DEEP = 2_000

DOCUMENT = """query OrdersPage {
  orders(first: 50) {
    nodes {
      id version status createdAt placedAt
      total { amount currency }
      customer { id displayName email }
      lines { sku name quantity unitPrice { amount currency } total { amount } }
      payment { id status method paid { amount currency } due { amount } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
PAGED = """query ($after: String) {
  orders(first: 50, after: $after) {
    nodes { id version status createdAt total { amount currency } lines { sku quantity } }
    pageInfo { hasNextPage endCursor }
  }
}"""
STEPS = "query ($after: String) { orders(first: 100, after: $after) { pageInfo { endCursor } } }"


def asked(shop: Shop, query: str, path: str = "/graphql", **variables: Any) -> Any:
    """The data; there are no errors."""
    headers = {"Authorization": f"Bearer {shop.staff}"}
    answer = httpx.post(shop.address + path, json={"query": query, "variables": variables}, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]


def loaded(shop: Shop, path: str, seconds: float, query: str = DOCUMENT, **variables: Any) -> dict[str, Any]:
    """What 16 connections of a process of their own met."""
    body = json.dumps({"query": query, "variables": variables} if variables else {"query": query})
    command = [sys.executable, "-m", "bench.http_load", shop.address, path, shop.staff, body]
    done = subprocess.run([*command, str(CLIENTS), str(seconds)], stdout=subprocess.PIPE, check=True)
    met: dict[str, Any] = json.loads(done.stdout)
    assert not met["failed"], f"{met['failed']} requests to {path} failed"
    return met


def one_order(shop: Shop) -> None:
    """Placed, and paid as far as the gateway in memory goes."""
    variant = shop.order["lines"][0]["variantId"]
    post(shop.address, shop.staff, f"/v1/stock/{variant}/receive", {"quantity": 1000})
    post(shop.address, shop.token, "/v1/orders", shop.order)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        (found,) = asked(shop, DOCUMENT)["orders"]["nodes"] or [{}]
        if found and found["customer"] and (found["payment"] or {}).get("paid", {}).get("amount"):
            return
        time.sleep(0.1)
    raise TimeoutError("the order was not paid")


def between(shop: Shop, path: str, beside: str, seconds: float) -> tuple[dict[str, Any], float]:
    """What `path` met, and the mean rate of `beside` before and after it."""
    before = loaded(shop, beside, seconds)["rate"]
    met = loaded(shop, path, seconds)
    return met, (before + loaded(shop, beside, seconds)["rate"]) / 2


def page(shop: Shop, seconds: float) -> None:
    sql = httpx.post(f"{shop.address}/bench/sql", content=DOCUMENT).text
    assert asked(shop, DOCUMENT) == asked(shop, DOCUMENT, "/bench/executor"), "the two ways differ"
    for path in ("/graphql", "/bench/bare", "/bench/executor"):
        loaded(shop, path, min(1, seconds))
    progress("orders-page: the bare route, GraphQL, the bare route")
    met, bare = between(shop, "/graphql", "/bench/bare", seconds)
    Figure("graphql", "orders-page", met["rate"], "1/s", bare, ">= 0.75").show()
    progress(f"p50 {met['p50']:.1f} p99 {met['p99']:.1f} max {met['max']:.1f} ms")
    progress("executor: the same document, not compiled")
    Figure("graphql", "executor", met["rate"], "1/s", loaded(shop, "/bench/executor", seconds)["rate"], ">= 5").show()
    progress("pgbench: the same SQL, GraphQL again, the same SQL again")
    call, whole = function_of(shop.database, sql), max(1, round(seconds))
    before = calls_per_second(shop.database, call, CLIENTS, whole)
    met = loaded(shop, "/graphql", seconds)
    calls = (before + calls_per_second(shop.database, call, CLIENTS, whole)) / 2
    Figure("graphql", "pgbench", met["rate"], "1/s", calls, ">= 0.5").show()


def deep(shop: Shop, seconds: float, pages: int) -> None:
    progress(f"deep: walking to page {pages:,}")
    cursor = None
    for _ in range((pages - 1) * PAGE // 100):
        cursor = asked(shop, STEPS, after=cursor)["orders"]["pageInfo"]["endCursor"]
    before = loaded(shop, "/graphql", seconds, PAGED, after=None)["rate"]
    met = loaded(shop, "/graphql", seconds, PAGED, after=cursor)
    first = (before + loaded(shop, "/graphql", seconds, PAGED, after=None)["rate"]) / 2
    Figure("graphql", "deep", met["rate"], "1/s", first, ">= 0.9").show()


def main(seconds: float = 5, orders: int = 200_000, pages: int = DEEP) -> None:
    with open_shop("memory", "graphql") as shop:
        one_order(shop)
        progress(f"{orders:,} orders")
        multiplied(shop.database, orders)
        page(shop, seconds)
        deep(shop, seconds, pages)
