"""hostile: documents that are meant to hurt, one after another to a running shop; how long the slowest is refused.

`slowest` is the 95th percentile by the clock of the document for which that is longest; `work` is the processor time of
the process for the document that takes most of it, which says more where others use the machine too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

from bench.cpu import seconds
from bench.hostile_documents import HOSTILE
from bench.report import Figure, percentile, progress
from bench.shop import Shop, open_shop

OFTEN = 100


def main(often: int = OFTEN) -> None:
    with open_shop("memory") as shop:
        met = {name: refused(shop, name, body, often) for name, body in bodies()}
    for name, (p95, work) in sorted(met.items(), key=lambda each: each[1][1]):
        progress(f"{name}: p95 {p95:.1f} ms, of the processor {work:.1f} ms")
    Figure("hostile", "slowest", max(p95 for p95, _ in met.values()), "ms", goal="<= 50").show()
    Figure("hostile", "work", max(work for _, work in met.values()), "ms", goal="<= 25").show()


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, (document, variables, _, _) in HOSTILE.items():
        yield name, {"query": document, "variables": variables}
    yield "a megabyte", {"query": "{ __typename }" + " " * 1_000_000}


def refused(shop: Shop, name: str, body: dict[str, Any], often: int) -> tuple[float, float]:
    """In ms: the 95th percentile of the time to the answer, and the mean processor time of one."""
    took = []
    headers = {"authorization": f"Bearer {shop.staff}"}
    with httpx.Client(base_url=shop.address, headers=headers, timeout=30) as client:
        client.post("/graphql", json=body)
        before = seconds(shop.pid)
        for number in range(1, often + 1):
            another = body | {"query": body["query"] + " " * number}  # what was refused is remembered
            began = time.perf_counter()
            answer = client.post("/graphql", json=another)
            took.append((time.perf_counter() - began) * 1000)
            assert answer.json()["errors"], f"{name} was not refused"
        return percentile(took, 0.95), (seconds(shop.pid) - before) / often * 1000


if __name__ == "__main__":
    main()
