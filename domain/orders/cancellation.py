"""Decisions on cancelling: asked for at once, closed when money and goods have been put back."""

from __future__ import annotations

from datetime import datetime

from domain.event import after
from domain.ids import UserId
from domain.lifecycle import require
from domain.orders.errors import AlreadyShipped, ReasonRequired
from domain.orders.events import CancellationRequested, CancelReason, OrderCancelled
from domain.orders.order import Cancellation, Order, Status

SENT = {Status.PARTIALLY_SHIPPED, Status.SHIPPED, Status.DELIVERED, Status.RETURNED}


def cancel(
    order: Order, reason: CancelReason, note: str, *, asked_by: UserId | None, at: datetime
) -> CancellationRequested | OrderCancelled | None:
    """A draft is cancelled at once; a placed order waits until money and goods are put back.

    Asked twice there is nothing to do. Raises AlreadyShipped, ReasonRequired (staff without a note).
    """
    if order.status in (Status.CANCEL_PENDING, Status.CANCELLED):
        return None
    if order.status in SENT:
        raise AlreadyShipped(order.id)
    require(order, Status.DRAFT, Status.PLACED, Status.CONFIRMED)
    if reason is CancelReason.STAFF and not note:
        raise ReasonRequired
    cancellation = Cancellation(reason, asked_by)
    if order.status is Status.DRAFT:
        return cancelled(order, cancellation, note, at)
    return CancellationRequested(
        **after(order, at), customer_id=order.customer_id, reason=reason, asked_by=asked_by, note=note
    )


def close(order: Order, note: str, *, at: datetime) -> OrderCancelled | None:
    """Ends a cancellation: nothing is charged and nothing is held any more."""
    if order.status is Status.CANCELLED:
        return None
    require(order, Status.CANCEL_PENDING)
    assert order.cancellation is not None
    return cancelled(order, order.cancellation, note, at)


def cancelled(order: Order, cancellation: Cancellation, note: str, at: datetime) -> OrderCancelled:
    return OrderCancelled(
        **after(order, at),
        customer_id=order.customer_id,
        reason=cancellation.reason,
        asked_by=cancellation.asked_by,
        note=note,
    )
