"""The stock of one variant: what is on hand, what of it is held for orders, and when it runs low.

`available = on_hand - reserved` is never negative. There is no clock in here: a hold lasts until its order's saga
ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from immutables import Map

from domain.event import JSON, after, first
from domain.ids import OrderId, ProductId, ReservationId, VariantId
from domain.lifecycle import require
from domain.persistent import AsObject
from domain.products.errors import InsufficientStock, NotHeld, Short, StockHeld, StockLimit
from domain.products.events import (
    StockAdjusted,
    StockCameBack,
    StockClosed,
    StockCommitted,
    StockCounted,
    StockEvent,
    StockOpened,
    StockRanLow,
    StockRanOut,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    ThresholdSet,
)
from domain.products.value import AdjustReason
from domain.value import MAX_QUANTITY


class StockStatus(StrEnum):
    IN_STOCK = "IN_STOCK"
    LOW = "LOW"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    CLOSED = "CLOSED"


OPEN: Final = (StockStatus.IN_STOCK, StockStatus.LOW, StockStatus.OUT_OF_STOCK)


@dataclass(frozen=True, slots=True)
class Hold:
    order_id: OrderId
    quantity: int


@dataclass(frozen=True, slots=True)
class Stock:
    """`holds` are the open ones only. `reserved` is their sum, kept so that many holds make no decision dearer."""

    id: VariantId
    version: int
    product_id: ProductId
    holds: Annotated[Map[ReservationId, Hold], AsObject()]
    on_hand: int = 0
    reserved: int = 0
    threshold: int = 0
    closed: bool = False

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    @property
    def status(self) -> StockStatus:
        if self.closed:
            return StockStatus.CLOSED
        return level(self.available, self.threshold)


def level(available: int, threshold: int) -> StockStatus:
    if not available:
        return StockStatus.OUT_OF_STOCK
    return StockStatus.LOW if available <= threshold else StockStatus.IN_STOCK


def open_stock(id: VariantId, product_id: ProductId, *, at: datetime) -> StockOpened:
    return StockOpened(**first(id, at), product_id=product_id)


def receive(stock: Stock, quantity: int, *, at: datetime) -> list[StockEvent]:
    check_on_hand(stock, stock.on_hand + quantity)
    return crossing(stock, StockReceived(**after(stock, at), quantity=quantity), stock.available + quantity)


def adjust(stock: Stock, change: int, reason: AdjustReason, *, at: datetime) -> list[StockEvent]:
    """Raises StockHeld when less would be left than is held."""
    check_on_hand(stock, stock.on_hand + change)
    return crossing(stock, StockAdjusted(**after(stock, at), change=change, reason=reason), stock.available + change)


def count(stock: Stock, counted: int, *, at: datetime) -> list[StockEvent]:
    """Somebody counted what is on hand, held units included. Raises StockHeld when that is less than is held."""
    check_on_hand(stock, counted)
    event = StockCounted(**after(stock, at), counted=counted, expected=stock.on_hand)
    return crossing(stock, event, counted - stock.reserved)


def set_threshold(stock: Stock, threshold: int, *, at: datetime) -> list[StockEvent]:
    require(stock, *OPEN)
    if threshold == stock.threshold:
        return []
    return crossing(stock, ThresholdSet(**after(stock, at), threshold=threshold), stock.available, threshold)


def shortage(stock: Stock, quantity: int) -> Short | None:
    return Short(stock.id, quantity, stock.available) if quantity > stock.available else None


def reserve(
    stock: Stock, reservation_id: ReservationId, order_id: OrderId, quantity: int, *, at: datetime
) -> list[StockEvent]:
    """Raises InsufficientStock, never holds more than is available."""
    require(stock, *OPEN)
    if short := shortage(stock, quantity):
        raise InsufficientStock([short])
    held = StockReserved(**after(stock, at), reservation_id=reservation_id, order_id=order_id, quantity=quantity)
    return crossing(stock, held, stock.available - quantity)


def commit(stock: Stock, reservation_id: ReservationId, *, at: datetime) -> StockCommitted:
    """The held units leave the house; what is available stays as it is. Raises NotHeld."""
    hold = held_for(stock, reservation_id)
    return StockCommitted(
        **after(stock, at), reservation_id=reservation_id, order_id=hold.order_id, quantity=hold.quantity
    )


def release(stock: Stock, reservation_id: ReservationId, *, at: datetime) -> list[StockEvent]:
    """The held units are available again. Raises NotHeld."""
    hold = held_for(stock, reservation_id)
    back = StockReleased(
        **after(stock, at), reservation_id=reservation_id, order_id=hold.order_id, quantity=hold.quantity
    )
    return crossing(stock, back, stock.available + hold.quantity)


def take_back(stock: Stock, order_id: OrderId, quantity: int, *, at: datetime) -> list[StockEvent]:
    """Units that had left the house for an order are on hand again. Raises StockLimit."""
    check_on_hand(stock, stock.on_hand + quantity)
    back = StockReturned(**after(stock, at), order_id=order_id, quantity=quantity)
    return crossing(stock, back, stock.available + quantity)


def close(stock: Stock, *, at: datetime) -> StockClosed:
    """The variant is taken out of the catalogue. Raises StockHeld while any of it is held."""
    require(stock, *OPEN)
    if stock.reserved:
        raise StockHeld(stock.id, 0, stock.reserved)
    return StockClosed(**after(stock, at), written_off=stock.on_hand)


def held_for(stock: Stock, reservation_id: ReservationId) -> Hold:
    hold = stock.holds.get(reservation_id)
    if hold is None:
        raise NotHeld(stock.id, reservation_id)
    return hold


def check_on_hand(stock: Stock, on_hand: int) -> None:
    require(stock, *OPEN)
    if on_hand < stock.reserved:
        raise StockHeld(stock.id, on_hand, stock.reserved)
    if on_hand > MAX_QUANTITY:
        raise StockLimit(stock.id, on_hand, MAX_QUANTITY)


def crossing(stock: Stock, event: StockEvent, available: int, threshold: int | None = None) -> list[StockEvent]:
    """The event, and the one that tells of a level it crosses. `available` is what is left after it."""
    before, now = stock.status, level(available, stock.threshold if threshold is None else threshold)
    if before is now or (before is StockStatus.LOW and now is StockStatus.IN_STOCK):
        return [event]  # from low to plenty nobody needs to know
    place: JSON = {**after(stock, event.timestamp), "originator_version": event.originator_version + 1}
    if now is StockStatus.OUT_OF_STOCK:
        return [event, StockRanOut(**place)]
    if before is StockStatus.OUT_OF_STOCK:
        return [event, StockCameBack(**place, available=available)]
    return [event, StockRanLow(**place, available=available)]


def evolve(stock: Stock | None, event: StockEvent) -> Stock:
    if isinstance(event, StockOpened):
        return Stock(VariantId(event.originator_id), event.originator_version, event.product_id, Map())
    assert stock is not None
    version = event.originator_version
    match event:
        case StockReserved(reservation_id=id, order_id=order_id, quantity=n):
            holds = stock.holds.set(id, Hold(order_id, n))
            return replace(stock, version=version, reserved=stock.reserved + n, holds=holds)
        case StockCommitted(reservation_id=id, quantity=n):
            left = stock.on_hand - n
            return replace(
                stock, version=version, on_hand=left, reserved=stock.reserved - n, holds=stock.holds.delete(id)
            )
        case StockReleased(reservation_id=id, quantity=n):
            return replace(stock, version=version, reserved=stock.reserved - n, holds=stock.holds.delete(id))
        case StockReceived() | StockReturned():
            return replace(stock, version=version, on_hand=stock.on_hand + event.quantity)
        case StockAdjusted():
            return replace(stock, version=version, on_hand=stock.on_hand + event.change)
        case StockCounted():
            return replace(stock, version=version, on_hand=event.counted)
        case ThresholdSet():
            return replace(stock, version=version, threshold=event.threshold)
        case StockClosed():
            return replace(stock, version=version, on_hand=0, closed=True)
        case _:
            return replace(stock, version=version)
