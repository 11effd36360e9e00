"""What must be true of every order once nothing more happens."""

from __future__ import annotations

from domain.ids import OrderId
from domain.orders.order import Order, Status
from domain.products.reservation import ReservationStatus
from domain.products.stock import Stock
from domain.sagas.checkout.facts import Placed
from domain.sagas.events import Course
from domain.sagas.saga import Saga
from sagas.advice import advised, units, unsettled
from sagas.story import story_of
from tests.sagas.world import World, eur

ENDED_BADLY = {Status.REJECTED, Status.EXPIRED, Status.CANCELLED}


def assert_balanced(world: World) -> None:
    """Money and goods are where the order says, or the saga says visibly why not."""
    stuck = {saga.key for saga in world.sagas if saga.stuck or saga.parked}
    assert not [saga for saga in world.sagas if not saga.ended and saga.key not in stuck], "a saga is neither"
    for order in world.loops["orders"].known.values():
        if not stuck:
            settled(world, order)
    told_as_they_are(world)
    stock_adds_up(world.shelf)


def told_as_they_are(world: World) -> None:
    """What a person is told of a checkout's money and goods is what payments and stock have."""
    for saga in world.sagas:
        if saga.process != "checkout" or Placed.NAME not in saga.known:
            continue
        story = story_of([each for each in world.feeds["sagas"] if each.event.originator_id == saga.id])
        order = OrderId(Placed.model_validate(saga.known[Placed.NAME]).order_id)
        facts, advice = unsettled(saga, story.balance), advised(saga, story.balance)
        assert (advice is None) is not (saga.stuck or saga.paused or saga.parked is not None)
        if saga.ended:
            assert facts == [], (saga.outcome, facts)
        elif saga.stuck:
            assert facts == still_out(world, order, saga), saga.trouble


def still_out(world: World, order: OrderId, saga: Saga) -> list[str]:
    """As `unsettled`, of a checkout that is stuck, from what the other contexts have."""
    payment = world.payment_of(order)
    assert payment
    reservations = world.reservations(order)
    left = sum(line.quantity for r in reservations if r.status is ReservationStatus.COMMITTED for line in r.lines)
    missing = payment.due.amount - payment.paid.amount
    held = sum(attempt.capturable.amount for attempt in payment.attempts if attempt.capturable)
    assert saga.course is Course.OVER
    said = [f"{units(left)} left the stock"] if left and missing else []
    return [*said, f"{eur(missing)} {'authorised but ' if held >= missing else ''}not captured"] if missing else []


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
