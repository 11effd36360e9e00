from __future__ import annotations

from domain.event import upcast
from domain.orders.cancellation import cancel, close
from domain.orders.errors import AlreadyShipped, ReasonRequired
from domain.orders.events import CancellationRequested, CancelReason, OrderCancelled
from tests.domain.orders.samples import (
    CUSTOMER,
    STAFF,
    cancel_pending,
    cancelled,
    confirmed,
    drafted,
    order,
    placed,
    tea_shipped,
)
from tests.specification import a


def test_a_draft_is_cancelled_at_once() -> None:
    order.given(drafted).when(cancel, CancelReason.CUSTOMER, "", asked_by=CUSTOMER).then(cancelled)


def test_a_placed_order_waits_until_money_and_goods_are_back() -> None:
    order.given(placed).when(cancel, CancelReason.CUSTOMER, "Too late", asked_by=CUSTOMER).then(cancel_pending)


def test_cancelling_twice_changes_nothing() -> None:
    order.given(placed, cancel_pending, cancelled).when(cancel, CancelReason.CUSTOMER, "", asked_by=CUSTOMER).then()


def test_an_order_that_was_shipped_is_not_cancelled() -> None:
    given = order.given(placed, confirmed, tea_shipped)
    given.when(cancel, CancelReason.CUSTOMER, "", asked_by=CUSTOMER).refused(AlreadyShipped)


def test_the_shop_gives_a_reason() -> None:
    order.given(placed).when(cancel, CancelReason.STAFF, "", asked_by=STAFF).refused(ReasonRequired)
    order.given(placed).when(cancel, CancelReason.STAFF, "Fraud", asked_by=STAFF).then(CancellationRequested)


def test_a_cancelled_order_keeps_who_asked_and_why() -> None:
    expected = a(OrderCancelled, customer_id=CUSTOMER, reason=CancelReason.CUSTOMER, asked_by=CUSTOMER, note="Refunded")
    order.given(placed, cancel_pending).when(close, "Refunded").then(expected)


def test_a_cancellation_stored_without_a_reason_was_a_customers() -> None:
    stored = {"customer_id": str(CUSTOMER)}
    assert upcast(OrderCancelled, stored) == {
        "customer_id": str(CUSTOMER),
        "reason": CancelReason.CUSTOMER,
        "asked_by": str(CUSTOMER),
    }
