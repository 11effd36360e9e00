"""A restock: the goods of one return, back on the shelves in one append over any number of stocks.

It is an aggregate of its own, so that a return is put back once, whoever asks and however late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.errors import AlreadyExists
from domain.event import Event, first
from domain.ids import OrderId, ReturnId, VariantId, derive
from domain.products import stock as stocks
from domain.products.errors import VariantsGone
from domain.products.events import RestockEvent, ReturnRestocked
from domain.products.stock import Stock
from domain.products.value import ReturnedLine, quantities

RestockId = NewType("RestockId", UUID)


class RestockStatus(StrEnum):
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Restock:
    id: RestockId
    version: int
    order_id: OrderId
    return_id: ReturnId
    lines: tuple[ReturnedLine, ...]
    status: RestockStatus = RestockStatus.DONE


Find = Callable[[VariantId], Stock]


def restock_of(order_id: OrderId, return_id: ReturnId) -> RestockId:
    """The one restock of a return. Clients choose ids of returns: with the order's it cannot meet another order's."""
    return RestockId(derive("restock", f"{order_id}/{return_id}"))


def restock(
    present: Restock | None,
    order_id: OrderId,
    return_id: ReturnId,
    lines: Iterable[ReturnedLine],
    find: Find,
    *,
    at: datetime,
) -> list[Event]:
    """Every line or none. Raises VariantsGone, which names every variant whose stock is closed, StockLimit,
    AlreadyExists where other goods of this return went back before.
    """
    summed = tuple(ReturnedLine.model_construct(variant_id=id, quantity=n) for id, n in quantities(lines).items())
    if present is not None:
        if quantities(present.lines) != quantities(summed):
            raise AlreadyExists("restock", present.id)
        return []  # asked twice
    found = [(find(line.variant_id), line.quantity) for line in summed]
    if gone := [stock.id for stock, _ in found if stock.closed]:
        raise VariantsGone(gone)
    id = restock_of(order_id, return_id)
    made: list[Event] = [ReturnRestocked(**first(id, at), order_id=order_id, return_id=return_id, lines=summed)]
    for stock, n in found:
        made += stocks.take_back(stock, order_id, n, at=at)
    return made


def evolve(restock: Restock | None, event: RestockEvent) -> Restock:
    assert isinstance(event, ReturnRestocked)
    return Restock(
        RestockId(event.originator_id), event.originator_version, event.order_id, event.return_id, event.lines
    )
