"""Decisions on a placed order: confirming or ending it, shipping, delivery and returns.

A saga says with `saga` which one it is, and is refused once another works the order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from domain.errors import AlreadyExists, NotFound
from domain.event import after
from domain.ids import ReturnId, SagaId, ShipmentId, UserId
from domain.lifecycle import require
from domain.money import Money
from domain.orders.errors import (
    MoreThanDelivered,
    MoreThanOrdered,
    NoSuchLine,
    ReasonRequired,
    ReturnPeriodOver,
)
from domain.orders.events import (
    OrderConfirmed,
    OrderDelivered,
    OrderExpired,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    Portion,
    RejectReason,
    SagaAssigned,
)
from domain.orders.order import Order, Shipment, Status, count, evolve
from domain.orders.work import assigned, require_at_work, the_return

RETURN_PERIOD: Final = timedelta(days=30)
"""How long after delivery a customer may return. The shop itself is not bound by it."""


def confirm(order: Order, *, saga: SagaId | None = None, at: datetime) -> OrderConfirmed | None:
    if order.status is Status.CONFIRMED:
        return None
    require_at_work(order, saga)
    require(order, Status.PLACED)
    return OrderConfirmed(**after(order, at))


def reject(
    order: Order, reason: RejectReason, note: str, *, saga: SagaId | None = None, at: datetime
) -> OrderRejected | None:
    if order.status is Status.REJECTED:
        return None
    require_at_work(order, saga)
    require(order, Status.PLACED)
    return OrderRejected(**after(order, at), customer_id=order.customer_id, reason=reason, note=note)


def expire(order: Order, *, saga: SagaId | None = None, at: datetime) -> OrderExpired | None:
    if order.status is Status.EXPIRED:
        return None
    require_at_work(order, saga)
    require(order, Status.PLACED)
    return OrderExpired(**after(order, at))


def ship(
    order: Order, id: ShipmentId, lines: tuple[Portion, ...], carrier: str, tracking: str | None, *, at: datetime
) -> OrderShipped:
    """Sends these portions, or with no lines all that is open. Raises MoreThanOrdered."""
    require(order, Status.CONFIRMED, Status.PARTIALLY_SHIPPED)
    open = order.ordered - order.shipped
    portions = checked(order, lines, open, MoreThanOrdered) if lines else portioned(open)
    complete = open == count(portions)
    return OrderShipped(
        **after(order, at), shipment_id=id, lines=portions, carrier=carrier, tracking=tracking, complete=complete
    )


def deliver(order: Order, shipment_id: ShipmentId | None, *, at: datetime) -> list[OrderDelivered]:
    """The shipment arrived, or with None all that are on their way; nothing happens for one that had arrived."""
    require(order, Status.PARTIALLY_SHIPPED, Status.SHIPPED, Status.DELIVERED)
    events = []
    for shipment in order.shipments if shipment_id is None else [shipment_of(order, shipment_id)]:
        if not shipment.delivered:
            events.append(delivered(order, shipment, at))
            order = evolve(order, events[-1])
    return events


def delivered(order: Order, shipment: Shipment, at: datetime) -> OrderDelivered:
    complete = order.delivered + count(shipment.lines) == order.ordered
    return OrderDelivered(**after(order, at), shipment_id=shipment.id, complete=complete)


def shipment_of(order: Order, id: ShipmentId) -> Shipment:
    for shipment in order.shipments:
        if shipment.id == id:
            return shipment
    raise NotFound("shipment", id)


def give_back(
    order: Order,
    id: ReturnId,
    lines: tuple[Portion, ...],
    *,
    asked_by: UserId | None,
    note: str,
    restock: bool,
    at: datetime,
) -> list[OrderReturned | SagaAssigned]:
    """Takes these portions back, or with no lines all that is left. The return waits while a saga works the order.

    Raises MoreThanDelivered, ReturnPeriodOver (customers), ReasonRequired (staff), AlreadyExists.
    """
    require(order, Status.DELIVERED)
    if any(each.id == id for each in order.returns):
        raise AlreadyExists("return", id)
    if asked_by == order.customer_id:
        in_time(order, at)
    elif asked_by and not note:
        raise ReasonRequired
    left = order.delivered - order.returned
    portions = checked(order, lines, left, MoreThanDelivered) if lines else portioned(left)
    returned = OrderReturned(
        **after(order, at),
        customer_id=order.customer_id,
        return_id=id,
        lines=portions,
        restock=restock,
        refund=refund_of(order, portions),
        asked_by=asked_by,
        note=note,
        complete=left == count(portions),
    )
    if order.saga:
        return [returned]
    return [returned, assigned(evolve(order, returned), the_return(order, id), at)]


def in_time(order: Order, at: datetime) -> None:
    assert order.delivered_at is not None
    if at > (until := order.delivered_at + RETURN_PERIOD):
        raise ReturnPeriodOver(order.id, until)


def refund_of(order: Order, portions: Iterable[Portion]) -> Money:
    """What these portions add to what is owed; so the refunds of a whole order are its total, however it is cut."""
    return owed(order, order.returned + count(portions)) - owed(order, order.returned)


def owed(order: Order, returned: Counter[int]) -> Money:
    """What is owed for everything that came back: its price and its share of the tax, rounded down.

    Shipping is owed once nothing is left with the customer.
    """
    if returned == order.ordered:
        return order.total
    price = sum(line.unit_price.amount * returned[line.number] for line in order.lines)
    taxed = order.total.amount - order.tax.amount
    tax = order.tax.amount * price // taxed if taxed else 0
    return Money(amount=price + tax, currency=order.currency)


def checked(
    order: Order,
    portions: tuple[Portion, ...],
    most: Counter[int],
    refusal: type[MoreThanOrdered | MoreThanDelivered],
) -> tuple[Portion, ...]:
    """The portions, one a line. Raises NoSuchLine, or `refusal` where a line has less than that."""
    wanted = count(portions)
    for line, quantity in wanted.items():
        if line not in order.ordered:
            raise NoSuchLine(order.id, line, order.ordered)
        if quantity > most[line]:
            raise refusal(line, quantity, most[line])
    return portioned(wanted)


def portioned(quantities: Counter[int]) -> tuple[Portion, ...]:
    return tuple(Portion(line=line, quantity=quantity) for line, quantity in sorted(quantities.items()) if quantity)
