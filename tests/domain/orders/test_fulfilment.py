from __future__ import annotations

from datetime import timedelta

from domain.errors import AlreadyExists, NotFound
from domain.ids import ShipmentId, derive
from domain.orders.errors import (
    MoreThanDelivered,
    MoreThanOrdered,
    NoSuchLine,
    ReasonRequired,
    ReturnPeriodOver,
)
from domain.orders.events import OrderReturned, OrderShipped
from domain.orders.fulfilment import RETURN_PERIOD, deliver, give_back, ship
from domain.orders.order import Status
from tests.domain.orders.samples import (
    CUSTOMER,
    DELIVERED,
    FIRST,
    RETURN,
    SECOND,
    SECOND_RETURN,
    STAFF,
    confirmed,
    cup_delivered,
    cup_returned,
    cup_shipped,
    eur,
    order,
    placed,
    portion,
    tea_delivered,
    tea_returned,
    tea_shipped,
)
from tests.specification import AT

THIRD = ShipmentId(derive("test", "third"))


def test_a_part_is_shipped() -> None:
    order.given(placed, confirmed).when(ship, FIRST, (portion(1, 2),), "DHL", "00340434").then(tea_shipped)


def test_the_last_part_completes_the_order() -> None:
    order.given(placed, confirmed, tea_shipped).when(ship, SECOND, (portion(2, 1),), "DHL", None).then(cup_shipped)


def test_without_lines_all_that_is_open_is_shipped() -> None:
    order.given(placed, confirmed, tea_shipped).when(ship, SECOND, (), "DHL", None).then(cup_shipped)


def test_portions_of_one_line_are_added_up() -> None:
    [event] = (
        order.given(placed, confirmed).when(ship, FIRST, (portion(1, 1), portion(1, 1)), "DHL", None).then(OrderShipped)
    )
    assert isinstance(event, OrderShipped)
    assert event.lines == (portion(1, 2),)


def test_more_than_was_ordered_is_not_shipped() -> None:
    given = order.given(placed, confirmed, tea_shipped)
    given.when(ship, THIRD, (portion(1, 1),), "DHL", None).refused(MoreThanOrdered, line=1, open=0)
    given.when(ship, THIRD, (portion(2, 1), portion(2, 1)), "DHL", None).refused(
        MoreThanOrdered, line=2, asked=2, open=1
    )


def test_a_line_that_is_not_in_the_order_is_not_shipped() -> None:
    order.given(placed, confirmed).when(ship, FIRST, (portion(3, 1),), "DHL", None).refused(NoSuchLine, lines=[1, 2])


def test_an_order_is_delivered_with_its_last_shipment() -> None:
    order.given(*DELIVERED[:4]).when(deliver, FIRST).then(tea_delivered)
    order.given(*DELIVERED[:5]).when(deliver, SECOND).then(cup_delivered)
    order.given(*DELIVERED[:4]).when(deliver, None).then(tea_delivered, cup_delivered)


def test_a_part_delivered_before_the_rest_is_shipped_does_not_deliver_the_order() -> None:
    order.given(*DELIVERED[:3]).when(deliver, None).then(tea_delivered)
    assert order.given(*DELIVERED[:3], tea_delivered, cup_shipped).state.status is Status.SHIPPED


def test_a_shipment_arrives_once() -> None:
    order.given(*DELIVERED).when(deliver, FIRST).then()


def test_a_shipment_that_was_not_sent_does_not_arrive() -> None:
    order.given(*DELIVERED).when(deliver, THIRD).refused(NotFound)


def test_a_part_comes_back_and_its_price_and_tax_are_owed() -> None:
    order.given(*DELIVERED).when(
        give_back, RETURN, (portion(1, 2),), asked_by=CUSTOMER, note="Too bitter", restock=True
    ).then(tea_returned)
    assert order.given(*DELIVERED, tea_returned).state.status is Status.DELIVERED


def test_with_the_last_part_the_rest_of_the_total_is_owed() -> None:
    [event] = (
        order.given(*DELIVERED, tea_returned)
        .when(give_back, SECOND_RETURN, (), asked_by=STAFF, note="Damaged", restock=False)
        .then(OrderReturned)
    )
    assert isinstance(event, OrderReturned)
    assert (event.complete, event.refund) == (True, eur(4155 - 2381))
    assert order.given(*DELIVERED, tea_returned, cup_returned).state.status is Status.RETURNED


def test_more_than_was_delivered_does_not_come_back() -> None:
    order.given(*DELIVERED, tea_returned).when(
        give_back, SECOND_RETURN, (portion(1, 1),), asked_by=STAFF, note="Damaged", restock=True
    ).refused(MoreThanDelivered, returnable=0)


def test_a_customer_returns_in_time_and_the_shop_whenever_it_likes() -> None:
    given, late = order.given(*DELIVERED), AT + RETURN_PERIOD + timedelta(seconds=1)
    given.when(give_back, RETURN, (), asked_by=CUSTOMER, note="", restock=True, at=late).refused(ReturnPeriodOver)
    given.when(give_back, RETURN, (), asked_by=CUSTOMER, note="", restock=True, at=AT + RETURN_PERIOD).then(
        OrderReturned
    )
    given.when(give_back, RETURN, (), asked_by=STAFF, note="Damaged", restock=True, at=late).then(OrderReturned)


def test_the_shop_takes_goods_back_with_a_reason() -> None:
    order.given(*DELIVERED).when(give_back, RETURN, (), asked_by=STAFF, note="", restock=True).refused(ReasonRequired)
    order.given(*DELIVERED).when(give_back, RETURN, (), asked_by=None, note="", restock=True).then(OrderReturned)


def test_a_return_is_taken_once() -> None:
    order.given(*DELIVERED, tea_returned).when(
        give_back, RETURN, (portion(2, 1),), asked_by=STAFF, note="Damaged", restock=True
    ).refused(AlreadyExists)
