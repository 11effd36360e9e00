"""Decisions on which saga works an order: one at a time, and the order names it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from domain.errors import NotAllowedNow
from domain.event import after
from domain.ids import ReturnId, SagaId, cancellation_of, payment_of, refund_of, return_of
from domain.lifecycle import require
from domain.orders.errors import SagaAtWork
from domain.orders.events import SagaAssigned, SagaReleased
from domain.orders.order import Order, Status, evolve


class Worker(NamedTuple):
    """A saga and the process it is of."""

    saga_id: SagaId
    process: str


def the_cancellation(order: Order) -> Worker:
    return Worker(cancellation_of(payment_of(order.id)), "cancellation")


def the_return(order: Order, id: ReturnId) -> Worker:
    return Worker(return_of(refund_of(order.id, id)), "return")


def require_at_work(order: Order, saga_id: SagaId | None) -> None:
    """Raises SagaAtWork unless this saga works the order: one that was taken over can do nothing any more.

    None stands for somebody who is no saga.
    """
    if saga_id is not None and order.saga != saga_id:
        raise SagaAtWork(order.id, order.saga)


def assign(
    order: Order, saga_id: SagaId, process: str, *, instead_of: SagaId | None = None, at: datetime
) -> SagaAssigned | None:
    """Names the saga that works the order. `instead_of` is the one that hands over; None: nobody works it so far."""
    if order.saga == saga_id:
        return None
    if order.saga != instead_of:
        raise SagaAtWork(order.id, order.saga)
    return assigned(order, Worker(saga_id, process), at)


def hand_over(order: Order, saga_id: SagaId, *, at: datetime) -> SagaAssigned | None:
    """Whoever works an order that is to be cancelled leaves it to the cancellation. Raises SagaAtWork."""
    if order.status is Status.CANCELLED:
        return None  # it was left to it, and is done
    require(order, Status.CANCEL_PENDING)
    return assign(order, *the_cancellation(order), instead_of=saga_id, at=at)


def release(order: Order, saga_id: SagaId, *, at: datetime) -> list[SagaReleased | SagaAssigned]:
    """The saga is done with the order; what waits for that comes next. Nothing happens if another one works it by now.

    Raises NotAllowedNow for a cancellation: that is done with an order by closing it.
    """
    if order.saga != saga_id:
        return []
    following = waiting(order)
    if following and following.saga_id == saga_id:
        raise NotAllowedNow("order", order.id, order.status, Status.CANCELLED)
    released = SagaReleased(**after(order, at), saga_id=saga_id)
    if following is None:
        return [released]
    return [released, assigned(evolve(order, released), following, at)]


def assigned(order: Order, worker: Worker, at: datetime) -> SagaAssigned:
    return SagaAssigned(**after(order, at), saga_id=worker.saga_id, process=worker.process)


def waiting(order: Order) -> Worker | None:
    """What works the order once nobody else does.

    A cancellation waits too: it may have been asked for when the saga at work had nothing left but to say so.
    """
    if order.status is Status.CANCEL_PENDING:
        return the_cancellation(order)
    return the_return(order, order.waiting[0]) if order.waiting else None
