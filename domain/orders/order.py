"""An order: its state, what can be asked of it, and how each event changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from domain.ids import OrderId, ReturnId, SagaId, ShipmentId, UserId, checkout_of, payment_of, refund_of, return_of
from domain.money import Money, zero
from domain.orders.events import (
    AnyOrderEvent,
    CancellationRequested,
    CancelReason,
    LaterOrderEvent,
    LineAdded,
    LineChanged,
    LineRemoved,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderDrafted,
    OrderExpired,
    OrderLine,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    Portion,
    SagaAssigned,
    SagaReleased,
)
from domain.value import PaymentMethod

MAX_LINES: Final = 100


class Status(StrEnum):
    DRAFT = "DRAFT"
    PLACED = "PLACED"
    CONFIRMED = "CONFIRMED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCEL_PENDING = "CANCEL_PENDING"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Shipment:
    id: ShipmentId
    lines: tuple[Portion, ...]
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Return:
    id: ReturnId
    lines: tuple[Portion, ...]
    refund: Money


@dataclass(frozen=True, slots=True)
class Cancellation:
    """On whose wish the order is to be cancelled, and who asked (None: no person)."""

    reason: CancelReason
    asked_by: UserId | None


@dataclass(frozen=True, slots=True)
class Order:
    """Nothing personal is in here: address, note and token stay in the events. Lines are in order of their number."""

    id: OrderId
    version: int
    status: Status
    customer_id: UserId
    currency: str
    lines: tuple[OrderLine, ...]
    shipping: Money
    tax: Money
    total: Money
    payment_method: PaymentMethod | None = None  # None in a draft
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()
    delivered_at: datetime | None = None  # when everything had arrived
    cancellation: Cancellation | None = None
    saga: SagaId | None = None  # the one that works it; a placed order is worked by its checkout
    waiting: tuple[ReturnId, ...] = ()  # returns that no saga worked yet, the earliest first

    @property
    def ordered(self) -> Counter[int]:
        """Line number -> quantity; so are the next three."""
        return Counter({line.number: line.quantity for line in self.lines})

    @property
    def shipped(self) -> Counter[int]:
        return count(portion for shipment in self.shipments for portion in shipment.lines)

    @property
    def delivered(self) -> Counter[int]:
        return count(portion for shipment in self.shipments if shipment.delivered for portion in shipment.lines)

    @property
    def returned(self) -> Counter[int]:
        return count(portion for each in self.returns for portion in each.lines)

    @property
    def goods(self) -> Money:
        """What the lines cost, without shipping and tax."""
        return sum((line.unit_price * line.quantity for line in self.lines), zero(self.currency))


def count(portions: Iterable[Portion]) -> Counter[int]:
    counted: Counter[int] = Counter()
    for portion in portions:
        counted[portion.line] += portion.quantity
    return counted


def evolve(order: Order | None, event: AnyOrderEvent) -> Order:
    if isinstance(event, OrderDrafted):
        return drafted(event)
    if isinstance(event, OrderPlaced):
        return placed(event)
    assert order is not None
    return replace(changed(order, event), version=event.originator_version)


def drafted(event: OrderDrafted) -> Order:
    nothing = zero(event.currency)
    return Order(
        OrderId(event.originator_id), event.originator_version, Status.DRAFT, event.customer_id, event.currency,
        lines=(), shipping=nothing, tax=nothing, total=nothing,
    )  # fmt: skip


def placed(event: OrderPlaced) -> Order:
    id = OrderId(event.originator_id)
    return Order(
        id, event.originator_version, Status.PLACED, event.customer_id, event.total.currency,
        event.lines, event.shipping, event.tax, event.total, event.payment_method, saga=checkout_of(payment_of(id)),
    )  # fmt: skip


def changed(order: Order, event: LaterOrderEvent) -> Order:
    """The order after an event that is not its first, but for its version."""
    match event:
        case LineAdded():
            return replace(order, lines=(*order.lines, event.line))
        case LineChanged():
            return replace(order, lines=tuple(resized(line, event) for line in order.lines))
        case LineRemoved():
            return replace(order, lines=tuple(line for line in order.lines if line.variant_id != event.variant_id))
        case OrderConfirmed():
            return replace(order, status=Status.CONFIRMED)
        case OrderRejected():
            return replace(order, status=Status.REJECTED, saga=None)
        case OrderExpired():
            return replace(order, status=Status.EXPIRED, saga=None)
        case CancellationRequested():
            return replace(order, status=Status.CANCEL_PENDING, cancellation=Cancellation(event.reason, event.asked_by))
        case OrderCancelled():
            wish = Cancellation(event.reason, event.asked_by)
            return replace(order, status=Status.CANCELLED, cancellation=wish, saga=None)
        case OrderShipped():
            shipments = (*order.shipments, Shipment(event.shipment_id, event.lines))
            return replace(
                order, status=Status.SHIPPED if event.complete else Status.PARTIALLY_SHIPPED, shipments=shipments
            )
        case OrderDelivered():
            return arrived(order, event)
        case OrderReturned():
            return came_back(order, event)
        case SagaAssigned():
            left = tuple(id for id in order.waiting if return_of(refund_of(order.id, id)) != event.saga_id)
            return replace(order, saga=event.saga_id, waiting=left)
        case SagaReleased():
            return replace(order, saga=None)
        case _:
            assert_never(event)


def resized(line: OrderLine, event: LineChanged) -> OrderLine:
    return line.model_copy(update={"quantity": event.quantity}) if line.variant_id == event.variant_id else line


def arrived(order: Order, event: OrderDelivered) -> Order:
    shipments = tuple(replace(s, delivered=True) if s.id == event.shipment_id else s for s in order.shipments)
    if not event.complete:
        return replace(order, shipments=shipments)
    return replace(order, shipments=shipments, status=Status.DELIVERED, delivered_at=event.timestamp)


def came_back(order: Order, event: OrderReturned) -> Order:
    return replace(
        order,
        status=Status.RETURNED if event.complete else order.status,
        returns=(*order.returns, Return(event.return_id, event.lines, event.refund)),
        waiting=(*order.waiting, event.return_id),
    )
