"""A reservation: all lines of an order, held in one append over any number of stocks.

It is an aggregate of its own, so that committing or releasing it knows its stocks without asking any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Final, assert_never

from domain.event import Event, after, first
from domain.ids import OrderId, ReservationId, VariantId
from domain.lifecycle import require
from domain.products import stock as stocks
from domain.products.errors import InsufficientStock
from domain.products.events import (
    ReservationCommitted,
    ReservationEvent,
    ReservationHeld,
    ReservationReleased,
    ReservationReturned,
)
from domain.products.stock import Stock
from domain.products.value import ReservedLine, quantities


class ReservationStatus(StrEnum):
    HELD = "HELD"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    RETURNED = "RETURNED"  # what had been committed is back


@dataclass(frozen=True, slots=True)
class Reservation:
    id: ReservationId
    version: int
    status: ReservationStatus
    order_id: OrderId
    lines: tuple[ReservedLine, ...]

    @property
    def variants(self) -> list[VariantId]:
        return [line.variant_id for line in self.lines]


Find = Callable[[VariantId], Stock]


def summed(lines: Iterable[ReservedLine]) -> tuple[ReservedLine, ...]:
    """One line a variant: the same variant on two lines is asked for once, with both quantities."""
    return tuple(ReservedLine.model_construct(variant_id=id, quantity=n) for id, n in quantities(lines).items())


def hold(
    id: ReservationId, order_id: OrderId, lines: Sequence[ReservedLine], find: Find, *, at: datetime
) -> list[Event]:
    """Every line or none. `lines` are summed. Raises InsufficientStock, which names every line that cannot be had."""
    found = [(find(line.variant_id), line.quantity) for line in lines]
    if short := [s for stock, n in found if (s := stocks.shortage(stock, n))]:
        raise InsufficientStock(short)
    made: list[Event] = [ReservationHeld(**first(id, at), order_id=order_id, lines=tuple(lines))]
    for stock, n in found:
        made += stocks.reserve(stock, id, order_id, n, at=at)
    return made


def commit(reservation: Reservation, find: Find, *, at: datetime) -> list[Event]:
    if reservation.status is ReservationStatus.COMMITTED:
        return []  # asked twice
    require(reservation, ReservationStatus.HELD)
    done = ReservationCommitted(**after(reservation, at), order_id=reservation.order_id)
    return [done, *(stocks.commit(find(id), reservation.id, at=at) for id in reservation.variants)]


def release(reservation: Reservation, find: Find, *, at: datetime) -> list[Event]:
    if reservation.status is ReservationStatus.RELEASED:
        return []  # asked twice
    require(reservation, ReservationStatus.HELD)
    done = ReservationReleased(**after(reservation, at), order_id=reservation.order_id)
    back = (stocks.release(find(id), reservation.id, at=at) for id in reservation.variants)
    return [done, *chain.from_iterable(back)]


def put_back(reservation: Reservation, find: Find, *, at: datetime) -> list[Event]:
    """The order gets nothing of it: what is held is available again, what had left is on hand again.

    Nothing happens where that was so already.
    """
    match reservation.status:
        case ReservationStatus.HELD:
            return release(reservation, find, at=at)
        case ReservationStatus.COMMITTED:
            return take_back(reservation, find, at=at)
        case ReservationStatus.RELEASED | ReservationStatus.RETURNED:
            return []
        case _:
            assert_never(reservation.status)


def take_back(reservation: Reservation, find: Find, *, at: datetime) -> list[Event]:
    """Of variants that are gone since, the units are written off, as those were that were on hand at that time."""
    found = [(find(line.variant_id), line) for line in reservation.lines]
    gone = tuple(line for stock, line in found if stock.closed)
    made: list[Event] = [ReservationReturned(**after(reservation, at), order_id=reservation.order_id, written_off=gone)]
    for stock, line in found:
        if not stock.closed:
            made += stocks.take_back(stock, reservation.order_id, line.quantity, at=at)
    return made


BECOMES: Final[dict[type[ReservationEvent], ReservationStatus]] = {
    ReservationCommitted: ReservationStatus.COMMITTED,
    ReservationReleased: ReservationStatus.RELEASED,
    ReservationReturned: ReservationStatus.RETURNED,
}


def evolve(reservation: Reservation | None, event: ReservationEvent) -> Reservation:
    if isinstance(event, ReservationHeld):
        return Reservation(
            ReservationId(event.originator_id),
            event.originator_version,
            ReservationStatus.HELD,
            event.order_id,
            event.lines,
        )
    assert reservation is not None
    return replace(reservation, version=event.originator_version, status=BECOMES[type(event)])
