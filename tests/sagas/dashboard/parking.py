"""A bug in the projector of orders: every draft it meets is parked until it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from domain.orders.events import OrderDrafted
from projections.orders.projector import drafted, orders
from projections.orders.row import OrderRow
from tests.eventually import eventually
from tests.sagas.dashboard.house import House

CAUSE = "ZeroDivisionError orders orders.order-drafted"


@dataclass
class Bug:
    """What it says quotes nothing of a customer, but is not to be trusted either."""

    there: bool = True

    def open(self, event: OrderDrafted) -> OrderRow:
        if self.there:
            raise ZeroDivisionError("a share of <script>nothing</script>")
        return drafted(event)


@contextmanager
def bug() -> Iterator[Bug]:
    found = Bug()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(orders._opens, OrderDrafted, found.open)  # type: ignore[misc]
        yield found


def drafts(house: House, count: int) -> list[str]:
    """Drafts that are parked, each with an event behind it; by the ids of what is parked, the oldest first."""
    customer = house.shop.customer
    for _ in range(count):
        draft = house.ask("/v1/orders/draft", {"customerId": str(customer), "currency": "EUR"})["id"]
        house.ask(f"/v1/orders/{draft}/add-line", {"variantId": str(house.shop.variant), "quantity": 1})
    eventually(lambda: [row["waiting"] for row in parked(house)].count(1) >= count)
    return [str(row["id"]) for row in parked(house)]


def parked(house: House) -> list[dict[str, Any]]:
    with psycopg.connect(house.database, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute("SELECT * FROM projections.parked ORDER BY parked_at, id").fetchall()


def audited(house: House) -> list[dict[str, Any]]:
    """The audit log, the latest first."""
    with psycopg.connect(house.database, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute("SELECT * FROM reads.operations ORDER BY requested_at DESC").fetchall()
