"""One saga at a time works an order, from placing on; who comes next waits its turn."""

from __future__ import annotations

import pytest

from domain.errors import NotAllowedNow
from domain.ids import SagaId, derive
from domain.orders.cancellation import cancel, close
from domain.orders.errors import SagaAtWork
from domain.orders.events import CancelReason, OrderCancelled, OrderConfirmed, OrderReturned, RejectReason, SagaReleased
from domain.orders.fulfilment import confirm, expire, give_back, reject
from domain.orders.work import assign, hand_over, release
from tests.domain.orders.samples import (
    CANCELLATION,
    CHECKOUT,
    CUSTOMER,
    DELIVERED,
    RETURN,
    RETURNING,
    SECOND_RETURN,
    cancel_pending,
    cancelled,
    cancelling,
    confirmed,
    cup_returned,
    drafted,
    expired,
    order,
    placed,
    portion,
    rejected,
    released,
    returning,
    returning_more,
    tea_added,
    tea_returned,
)
from tests.specification import Make, a

OTHER = SagaId(derive("test", "other saga"))


def saga_after(*story: Make) -> SagaId | None:
    saga: SagaId | None = order.given(*story).state.saga
    return saga


def test_a_placed_order_is_worked_by_its_checkout_until_that_is_done() -> None:
    assert saga_after(drafted, tea_added) is None
    assert saga_after(drafted, tea_added, placed) == CHECKOUT
    assert saga_after(placed) == saga_after(placed, confirmed) == CHECKOUT
    assert saga_after(placed, confirmed, released) is None


@pytest.mark.parametrize("story", [(rejected,), (expired,), (cancel_pending, cancelled)])
def test_an_order_that_ended_is_worked_by_nobody(story: tuple[Make, ...]) -> None:
    assert saga_after(placed, *story) is None


def test_one_saga_at_a_time_works_an_order() -> None:
    order.given(placed).when(assign, CHECKOUT, "checkout").then()
    order.given(placed).when(assign, OTHER, "cancellation").refused(SagaAtWork, saga=str(CHECKOUT))
    order.given(placed, confirmed, released).when(assign, CANCELLATION, "cancellation").then(cancelling)


def test_a_saga_that_does_not_work_the_order_does_nothing_to_it() -> None:
    given = order.given(placed)
    given.when(confirm, saga=OTHER).refused(SagaAtWork, saga=str(CHECKOUT))
    given.when(reject, RejectReason.OUT_OF_STOCK, "", saga=OTHER).refused(SagaAtWork)
    given.when(expire, saga=OTHER).refused(SagaAtWork)
    given.when(confirm, saga=CHECKOUT).then(OrderConfirmed)
    order.given(placed, confirmed, released).when(expire, saga=CHECKOUT).refused(SagaAtWork, saga=None)


def test_a_saga_that_handed_over_does_nothing_any_more() -> None:
    given = order.given(placed, cancel_pending, cancelling)
    given.when(close, "", saga=CHECKOUT).refused(SagaAtWork, saga=str(CANCELLATION))
    given.when(confirm, saga=CHECKOUT).refused(SagaAtWork)
    given.when(release, CHECKOUT).then()
    given.when(close, "", saga=CANCELLATION).then(OrderCancelled)


def test_what_has_happened_already_is_nothing_to_do_whoever_asks() -> None:
    order.given(placed, confirmed, released).when(confirm, saga=CHECKOUT).then()
    order.given(placed, rejected).when(reject, RejectReason.OUT_OF_STOCK, "", saga=CHECKOUT).then()
    order.given(placed, expired).when(expire, saga=CHECKOUT).then()
    order.given(placed, cancel_pending, cancelled).when(close, "", saga=CHECKOUT).then()


def test_what_is_to_be_cancelled_is_not_confirmed_even_by_its_checkout() -> None:
    order.given(placed, cancel_pending).when(confirm, saga=CHECKOUT).refused(NotAllowedNow, status="CANCEL_PENDING")


def test_the_checkout_at_work_is_left_to_see_the_wish_to_cancel() -> None:
    order.given(placed).when(cancel, CancelReason.CUSTOMER, "Too late", asked_by=CUSTOMER).then(cancel_pending)
    assert saga_after(placed, cancel_pending) == CHECKOUT


def test_where_nobody_works_the_order_its_cancellation_begins_with_the_wish() -> None:
    given = order.given(placed, confirmed, released)
    given.when(cancel, CancelReason.CUSTOMER, "Too late", asked_by=CUSTOMER).then(cancel_pending, cancelling)


def test_the_checkout_hands_over_to_the_cancellation() -> None:
    given = order.given(placed, cancel_pending)
    given.when(hand_over, CHECKOUT).then(cancelling)
    given.when(hand_over, OTHER).refused(SagaAtWork, saga=str(CHECKOUT))
    order.given(placed, cancel_pending, cancelling).when(hand_over, CHECKOUT).then()
    order.given(placed, cancel_pending, cancelling, cancelled).when(hand_over, CHECKOUT).then()
    order.given(placed, confirmed).when(hand_over, CHECKOUT).refused(NotAllowedNow, status="CONFIRMED")


def test_only_the_saga_at_work_releases_the_order() -> None:
    order.given(placed, confirmed).when(release, CHECKOUT).then(released)
    order.given(placed, confirmed).when(release, OTHER).then()
    order.given(placed, confirmed, released).when(release, CHECKOUT).then()


def test_a_wish_that_came_when_the_checkout_had_nothing_left_but_to_say_so_is_not_lost() -> None:
    order.given(placed, confirmed, cancel_pending).when(release, CHECKOUT).then(released, cancelling)


def test_a_cancellation_is_done_with_an_order_by_closing_it() -> None:
    order.given(placed, cancel_pending, cancelling).when(release, CANCELLATION).refused(NotAllowedNow)


def test_a_return_is_worked_at_once_where_nobody_works_the_order() -> None:
    order.given(*DELIVERED, released).when(
        give_back, RETURN, (portion(1, 2),), asked_by=CUSTOMER, note="Too bitter", restock=True
    ).then(tea_returned, returning)
    assert order.given(*DELIVERED, released, tea_returned, returning).state.waiting == ()


def test_returns_wait_while_somebody_works_the_order_and_follow_one_another() -> None:
    story = (*DELIVERED, tea_returned, cup_returned)
    given = order.given(*DELIVERED, tea_returned)
    given.when(give_back, SECOND_RETURN, (), asked_by=CUSTOMER, note="", restock=True).then(cup_returned)
    assert order.given(*story).state.waiting == (RETURN, SECOND_RETURN)
    order.given(*story).when(release, CHECKOUT).then(released, returning)
    order.given(*story, released, returning).when(release, RETURNING).then(done(RETURNING), returning_more)
    assert order.given(*story, released, returning, done(RETURNING), returning_more).state.waiting == ()


def test_a_return_waits_for_the_one_before() -> None:
    story = (*DELIVERED, released, tea_returned, returning)
    order.given(*story).when(give_back, SECOND_RETURN, (), asked_by=CUSTOMER, note="", restock=True).then(OrderReturned)


def done(saga_id: SagaId) -> Make:
    return a(SagaReleased, saga_id=saga_id)
