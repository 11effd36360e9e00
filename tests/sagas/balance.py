"""What must be true of every order once nothing more happens."""

from __future__ import annotations

from domain.orders.order import Order, Status
from domain.products.reservation import ReservationStatus
from domain.products.stock import Stock
from tests.sagas.world import World

ENDED_BADLY = {Status.REJECTED, Status.EXPIRED, Status.CANCELLED}


def assert_balanced(world: World) -> None:
    """Money and goods are where the order says, or the saga says visibly why not."""
    stuck = {saga.key for saga in world.sagas if saga.stuck or saga.parked}
    assert not [saga for saga in world.sagas if not saga.ended and saga.key not in stuck], "a saga is neither"
    for order in world.loops["orders"].known.values():
        if not stuck:
            settled(world, order)
    stock_adds_up(world.shelf)


def settled(world: World, order: Order) -> None:
    payment = world.payment_of(order.id)
    statuses = [reservation.status for reservation in world.reservations(order.id)]
    assert ReservationStatus.HELD not in statuses, f"{order.status} and still held"
    assert order.saga is None
    if order.status in ENDED_BADLY:
        assert ReservationStatus.COMMITTED not in statuses
        assert payment is None or (not payment.paid and not any(a.capturable for a in payment.attempts))
    else:
        assert payment
        assert statuses.count(ReservationStatus.COMMITTED) == 1
        owed_back = sum(each.refund.amount for each in order.returns)
        assert payment.paid.amount == payment.due.amount - owed_back
    for attempt in payment.attempts if payment else ():
        assert attempt.captured <= attempt.authorised or not attempt.authorised
        assert attempt.refunded <= attempt.captured


def stock_adds_up(stock: Stock) -> None:
    assert stock.reserved == sum(hold.quantity for hold in stock.holds.values())
    assert 0 <= stock.reserved <= stock.on_hand
