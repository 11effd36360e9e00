"""Decisions on cancelling: asked for at once, closed when money and goods have been put back."""

from __future__ import annotations

from datetime import datetime

from domain.event import after
from domain.ids import SagaId, UserId
from domain.lifecycle import require
from domain.orders.errors import AlreadyShipped, ReasonRequired
from domain.orders.events import CancellationRequested, CancelReason, OrderCancelled, SagaAssigned
from domain.orders.order import Cancellation, Order, Status, evolve
from domain.orders.work import assigned, require_at_work, the_cancellation

SENT = {Status.PARTIALLY_SHIPPED, Status.SHIPPED, Status.DELIVERED, Status.RETURNED}


def cancel(
    order: Order, reason: CancelReason, note: str, *, asked_by: UserId | None, at: datetime
) -> list[CancellationRequested | SagaAssigned | OrderCancelled]:
    """A draft is cancelled at once; a placed order waits until money and goods are put back.

    Whoever works the order sees to that or hands over; if nobody does, its cancellation begins in the same append.
    Asked twice there is nothing to do. Raises AlreadyShipped, ReasonRequired (staff without a note).
    """
    if order.status in (Status.CANCEL_PENDING, Status.CANCELLED):
        return []
    if order.status in SENT:
        raise AlreadyShipped(order.id)
    require(order, Status.DRAFT, Status.PLACED, Status.CONFIRMED)
    if reason is CancelReason.STAFF and not note:
        raise ReasonRequired
    cancellation = Cancellation(reason, asked_by)
    if order.status is Status.DRAFT:
        return [cancelled(order, cancellation, note, at)]
    requested = CancellationRequested(
        **after(order, at), customer_id=order.customer_id, reason=reason, asked_by=asked_by, note=note
    )
    if order.saga:
        return [requested]
    return [requested, assigned(evolve(order, requested), the_cancellation(order), at)]


def close(order: Order, note: str, *, saga: SagaId | None = None, at: datetime) -> OrderCancelled | None:
    """Ends a cancellation: nothing is charged and nothing is held any more. Raises SagaAtWork."""
    if order.status is Status.CANCELLED:
        return None
    require_at_work(order, saga)
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
