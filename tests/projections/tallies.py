"""A read model of the tests: orders with their states, and how many orders and events each state has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.orders.events import OrderDrafted, OrderEvent, OrderPlaced
from domain.orders.order import Status
from projections.feed import Recorded
from projections.model import Addends, Model, Projector, Sums, opened


@dataclass(frozen=True)
class TallyRow:
    id: UUID
    version: int
    updated_at: datetime
    status: str
    events: int = 0


class TallyModel(Model):
    @property
    def table_sql(self) -> str:
        return """
CREATE TABLE tallied (
    id uuid PRIMARY KEY, version bigint NOT NULL, updated_at timestamptz NOT NULL, status text NOT NULL,
    events int NOT NULL
);
CREATE TABLE tallies (
    status text, open boolean, orders bigint NOT NULL DEFAULT 0, events bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (status, open)
);
"""


tallied = Projector("tallied", TallyRow, OrderEvent)


@tallied.opens(OrderDrafted)
def drafted(event: OrderDrafted) -> TallyRow:
    return TallyRow(**opened(event), status=Status.DRAFT)


@tallied.opens(OrderPlaced)
def placed(event: OrderPlaced) -> TallyRow:
    return TallyRow(**opened(event), status=Status.PLACED)


@tallied.every
def named(row: TallyRow, recorded: Recorded) -> TallyRow:
    """Each type of event is a state here. An event left out is missed in the count."""
    return replace(row, status=recorded.event.TOPIC, events=row.events + 1)


def tally(row: TallyRow) -> Addends:
    return {
        (row.status, False): {"orders": 1, "events": row.events},
        (row.status, True): {"events": row.version - 1},
    }


TALLIES = TallyModel("tallies", ("orders",), (tallied,), (Sums("tallies", ("status", "open"), {tallied: tally}),))


def recomputed(rows: Iterable[TallyRow]) -> dict[tuple[Any, ...], dict[str, int]]:
    """The sums as they must be, without those that are nothing."""
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for row in rows:
        for key, columns in tally(row).items():
            sums.setdefault(key, Counter()).update(columns)
    return {key: some for key, columns in sums.items() if (some := {c: n for c, n in columns.items() if n})}
