"""Orders as they are looked up: one small function per event type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain.event import Event
from domain.ids import OrderId, checkout_of, payment_of
from domain.money import MAX_AMOUNT
from domain.orders.events import (
    CancellationRequested,
    LineAdded,
    LineChanged,
    LineRemoved,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderDrafted,
    OrderEvent,
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
from domain.orders.order import Status
from projections.feed import Recorded
from projections.model import Model, Projector, known, opened
from projections.orders.row import EntryRow, LineRow, OrderRow, PortionRow, ReturnRow, ShipmentRow
from projections.personal import Personal
from projections.row import replace

orders = Projector("orders", OrderRow, OrderEvent)


def cleared(row: OrderRow) -> OrderRow:
    """Without what is personal."""
    timeline = tuple(replace(entry, note=None) for entry in row.timeline)
    return replace(row, address=None, note=None, timeline=timeline)


ORDERS = Model(
    "orders",
    contexts=("orders",),
    projectors=(orders,),
    personal=(Personal(orders.table, "customer_id", cleared),),
)


@orders.opens(OrderDrafted)
def drafted(event: OrderDrafted) -> OrderRow:
    return OrderRow(
        **opened(event),
        status=Status.DRAFT,
        customer_id=event.customer_id,
        currency=event.currency,
        lines=(),
        shipping=0,
        tax=0,
        total=0,
        created_at=event.timestamp,
    )


@orders.opens(OrderPlaced)
def placed_at_once(event: OrderPlaced) -> OrderRow:
    return OrderRow(
        **opened(event),
        status=Status.PLACED,
        customer_id=event.customer_id,
        currency=event.total.currency,
        lines=tuple(line_row(line) for line in event.lines),
        shipping=event.shipping.amount,
        tax=event.tax.amount,
        total=event.total.amount,
        created_at=event.timestamp,
        payment_method=event.payment_method,
        address=known(event.address),
        note=known(event.note),
        saga_id=checkout_of(payment_of(OrderId(event.originator_id))),
        saga_process="checkout",
        placed_at=event.timestamp,
    )


@orders.on(OrderPlaced)
def placed(row: OrderRow, event: OrderPlaced) -> OrderRow:
    return replace(placed_at_once(event), created_at=row.created_at, timeline=row.timeline)


@orders.on(LineAdded)
def line_added(row: OrderRow, event: LineAdded) -> OrderRow:
    return with_lines(row, (*row.lines, line_row(event.line)))


@orders.on(LineChanged)
def line_changed(row: OrderRow, event: LineChanged) -> OrderRow:
    return with_lines(row, (resized(line, event) for line in row.lines))


@orders.on(LineRemoved)
def line_removed(row: OrderRow, event: LineRemoved) -> OrderRow:
    return with_lines(row, (line for line in row.lines if line.variant_id != event.variant_id))


@orders.on(OrderConfirmed)
def confirmed(row: OrderRow, event: OrderConfirmed) -> OrderRow:
    return replace(row, status=Status.CONFIRMED)


@orders.on(OrderRejected)
def rejected(row: OrderRow, event: OrderRejected) -> OrderRow:
    return ended(row, Status.REJECTED, event)


@orders.on(OrderExpired)
def expired(row: OrderRow, event: OrderExpired) -> OrderRow:
    return ended(row, Status.EXPIRED, event)


@orders.on(CancellationRequested)
def cancellation_requested(row: OrderRow, event: CancellationRequested) -> OrderRow:
    return replace(row, status=Status.CANCEL_PENDING)


@orders.on(OrderCancelled)
def cancelled(row: OrderRow, event: OrderCancelled) -> OrderRow:
    return ended(row, Status.CANCELLED, event)


@orders.on(OrderShipped)
def shipped(row: OrderRow, event: OrderShipped) -> OrderRow:
    shipment = ShipmentRow(event.shipment_id, portions(event.lines), event.carrier, event.tracking, event.timestamp)
    return replace(
        row,
        status=Status.SHIPPED if event.complete else Status.PARTIALLY_SHIPPED,
        shipments=(*row.shipments, shipment),
        lines=counted(row, "shipped", shipment.lines),
    )


@orders.on(OrderDelivered)
def delivered(row: OrderRow, event: OrderDelivered) -> OrderRow:
    arrived = [s.lines for s in row.shipments if s.id == event.shipment_id]
    return replace(
        row,
        status=Status.DELIVERED if event.complete else row.status,
        shipments=tuple(arrival(shipment, event) for shipment in row.shipments),
        lines=counted(row, "delivered", (portion for lines in arrived for portion in lines)),
    )


@orders.on(OrderReturned)
def returned(row: OrderRow, event: OrderReturned) -> OrderRow:
    back = ReturnRow(event.return_id, portions(event.lines), event.refund.amount, event.timestamp, event.restock)
    return replace(
        row,
        status=Status.RETURNED if event.complete else row.status,
        returns=(*row.returns, back),
        lines=counted(row, "returned", back.lines),
        closed_at=event.timestamp if event.complete else row.closed_at,
    )


@orders.on(SagaAssigned)
def saga_assigned(row: OrderRow, event: SagaAssigned) -> OrderRow:
    return replace(row, saga_id=event.saga_id, saga_process=event.process)


@orders.on(SagaReleased)
def saga_released(row: OrderRow, event: SagaReleased) -> OrderRow:
    return replace(row, saga_id=None, saga_process=None)


# Made once: this is asked of every event.
REASONED: Final = (CancellationRequested, OrderCancelled, OrderRejected)
NOTED: Final = (*REASONED, OrderReturned)


@orders.every
def on_the_timeline(row: OrderRow, recorded: Recorded) -> OrderRow:
    event = recorded.event
    reason = event.reason if isinstance(event, REASONED) else None
    entry = EntryRow(
        event.originator_version, event.timestamp, event.TOPIC, recorded.actor, row.status, reason, note_of(event)
    )
    return replace(row, timeline=(*row.timeline, entry))


def note_of(event: Event) -> str | None:
    if isinstance(event, NOTED):
        return known(event.note) or None
    return None


def ended(row: OrderRow, status: Status, event: Event) -> OrderRow:
    """No saga works it any more."""
    return replace(row, status=status, closed_at=event.timestamp, saga_id=None, saga_process=None)


def line_row(line: OrderLine) -> LineRow:
    return LineRow(
        line.number, line.product_id, line.variant_id, line.sku, line.name, line.unit_price.amount, line.quantity
    )


def with_lines(row: OrderRow, lines: Iterable[LineRow]) -> OrderRow:
    """A draft with these lines, which make up its total until shipping and tax are known."""
    lines = tuple(lines)
    total = sum(line.unit_price * line.quantity for line in lines)
    return replace(row, lines=lines, total=min(total, MAX_AMOUNT))  # a cart may hold what nobody could ever place


def resized(line: LineRow, event: LineChanged) -> LineRow:
    return replace(line, quantity=event.quantity) if line.variant_id == event.variant_id else line


def portions(lines: Iterable[Portion]) -> tuple[PortionRow, ...]:
    return tuple(PortionRow(portion.line, portion.quantity) for portion in lines)


def counted(row: OrderRow, column: str, moved: Iterable[PortionRow]) -> tuple[LineRow, ...]:
    """The lines with what moved added to one of their quantities."""
    more: dict[int, int] = {}
    for portion in moved:
        more[portion.line] = more.get(portion.line, 0) + portion.quantity
    return tuple(
        [
            replace(line, **{column: getattr(line, column) + more[line.number]}) if line.number in more else line
            for line in row.lines
        ]
    )


def arrival(shipment: ShipmentRow, event: OrderDelivered) -> ShipmentRow:
    return replace(shipment, delivered_at=event.timestamp) if shipment.id == event.shipment_id else shipment
