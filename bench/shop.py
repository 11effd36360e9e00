"""A running Chobo with one product to order, for the benchmarks that go through HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

ADDRESS = {"name": "Sato Hanako", "line1": "1-2-3 Nishi", "postalCode": "150-0001", "city": "Tokyo", "country": "JP"}


@dataclass(frozen=True, slots=True)
class Shop:
    """`staff` is a service's token, `token` a customer's; `order` an order's body, to be placed again and again.

    `pid` is the process's, `postgres` that of the server of its `database`.
    """

    address: str
    pid: int
    postgres: int
    database: str
    staff: str
    token: str
    order: dict[str, Any]

    def variants(self, count: int) -> list[UUID]:
        """So many variants to keep stock of, each of a product of its own."""
        return [on_sale(self.address, self.staff, uuid4()) for _ in range(count)]


@contextmanager
def open_shop(*how: str) -> Iterator[Shop]:
    """`how`: "kafka" for one whose read models follow topics, "memory" for a gateway in memory, "graphql" for one with
    what its read API is measured against.
    """
    with tempfile.TemporaryDirectory() as folder, opened_in(folder, *how) as shop:
        yield shop


@contextmanager
def opened_in(folder: str, *how: str) -> Iterator[Shop]:
    """The same in a data directory that stays."""
    process = subprocess.Popen([sys.executable, "-m", "bench.app", folder, *how], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        token, order = sample_order(ready["address"], ready["token"])
        ids = ready["pid"], ready["postgres"], ready["database"]
        yield Shop(ready["address"], *ids, ready["token"], token, order)
    finally:
        process.terminate()
        process.communicate()


def post(address: str, token: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    response = httpx.post(address + path, json=body, headers=headers)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def sample_order(address: str, token: str) -> tuple[str, dict[str, Any]]:
    """Puts a product on sale; a customer's access token, and how they order it."""
    product = uuid4()
    variant = on_sale(address, token, product)
    person = {"email": f"{product.hex}@chobo.example", "password": "long enough", "name": "Hanako"}
    post(address, token, "/v1/users", person)
    session = post(address, token, "/v1/sessions", {"email": person["email"], "password": person["password"]})
    wanted: dict[str, Any] = {"lines": [{"variantId": str(variant), "quantity": 2}], "address": ADDRESS}
    total = post(address, token, "/v1/quotes", wanted | {"currency": "EUR"})["total"]
    paid = {"payment": {"method": "CREDIT_CARD", "token": "pm_card_visa"}, "quotedTotal": total}
    return session["accessToken"], wanted | paid


def on_sale(address: str, token: str, product: UUID) -> UUID:
    """The one variant of a new product."""
    variant = uuid4()
    draft = {"id": str(product), "name": "Notebook", "variants": [sold(variant)]}
    post(address, token, "/v1/products", draft)
    post(address, token, f"/v1/products/{product}/activate", {})
    return variant


def sold(variant: UUID) -> dict[str, Any]:
    return {"id": str(variant), "sku": f"NB-{variant.hex[:12]}", "price": {"amount": 1200, "currency": "EUR"}}
