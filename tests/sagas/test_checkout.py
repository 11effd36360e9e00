"""Checkout from the placed order to the last word, by the real rules of every context."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.ids import OrderId, checkout_of, payment_of
from domain.orders.order import Status
from domain.payments.payment import ChargeStatus
from domain.products.reservation import ReservationStatus
from domain.sagas.events import ActionKind, Outcome
from domain.sagas.saga import Saga
from domain.sagas.saga import Status as SagaStatus
from domain.value import PaymentMethod
from tests.sagas.balance import assert_balanced
from tests.sagas.world import ANN, World


@pytest.fixture
def world() -> World:
    return World(stock=4)


def checkout(world: World, order: OrderId) -> Saga:
    saga: Saga = world.loops["sagas"].known[checkout_of(payment_of(order))]
    return saga


def why(saga: Saga) -> str:
    """For what reason it went back."""
    assert saga.wish
    return saga.wish.code


def test_goods_and_money_are_taken_and_the_order_is_let_go(world: World):
    order = world.place("pm_card_visa")
    world.settle()
    assert world.order(order).status is Status.CONFIRMED
    assert world.order(order).saga is None
    assert checkout(world, order).outcome is Outcome.DONE
    assert world.charge(order) is ChargeStatus.CAPTURED
    assert (world.shelf.on_hand, world.shelf.reserved) == (2, 0)
    assert_balanced(world)


def test_the_same_variant_on_two_lines_is_held_once_with_both_quantities(world: World):
    order = world.place("pm_card_visa", quantity=2)
    world.until(lambda: world.reservations(order) != [])
    (reservation,) = world.reservations(order)
    assert [line.quantity for line in reservation.lines] == [4]


def test_an_order_that_cannot_be_had_is_rejected_and_nothing_is_charged(world: World):
    order = world.place("pm_card_visa", quantity=3)
    world.settle()
    assert world.order(order).status is Status.REJECTED
    assert why(checkout(world, order)) == "OUT_OF_STOCK"
    assert world.payment_of(order) is None
    assert_balanced(world)


@pytest.mark.parametrize("token", ["pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"])
def test_a_declined_payment_gives_the_goods_back_and_rejects(world: World, token: str):
    order = world.place(token)
    world.settle()
    assert world.order(order).status is Status.REJECTED
    assert why(checkout(world, order)) == "PAYMENT_DECLINED"
    assert world.shelf.reserved == 0
    assert_balanced(world)


def test_who_does_not_pay_in_time_lets_the_order_expire(world: World):
    order = world.place("pm_card_authenticationRequired")
    world.settle()
    assert world.order(order).status is Status.EXPIRED
    assert_balanced(world)


def test_goods_are_held_again_when_the_hold_ran_out_and_the_money_came(world: World):
    order = world.place("pm_wallet", PaymentMethod.WALLET)
    world.until(lambda: world.waits_for_customer(order))
    world.pass_time(timedelta(minutes=16))
    world.until(lambda: world.shelf.reserved == 0)
    world.customer_acts(order)
    world.settle()
    assert world.order(order).status is Status.CONFIRMED
    assert [r.status for r in world.reservations(order)] == [ReservationStatus.RELEASED, ReservationStatus.COMMITTED]
    assert_balanced(world)


def test_money_is_let_go_when_the_hold_ran_out_and_others_have_the_goods(world: World):
    order = world.place("pm_wallet", PaymentMethod.WALLET)
    world.until(lambda: world.waits_for_customer(order))
    world.pass_time(timedelta(minutes=16))
    world.until(lambda: world.shelf.reserved == 0)
    other = world.place("pm_card_visa", quantity=2)
    world.until(lambda: world.order(other).status is Status.CONFIRMED and world.order(other).saga is None)
    world.customer_acts(order)
    world.settle()
    assert world.order(order).status is Status.REJECTED
    assert why(checkout(world, order)) == "OUT_OF_STOCK"
    assert world.charge(order) is ChargeStatus.NONE
    assert_balanced(world)


def test_a_bank_transfer_that_arrives_days_later_is_taken(world: World):
    order = world.place(None, PaymentMethod.BANK_TRANSFER)
    world.until(lambda: world.waits_for_customer(order))
    world.pass_time(timedelta(days=5))
    world.until(lambda: world.shelf.reserved == 0)
    world.money_arrives(order)
    world.settle()
    assert world.order(order).status is Status.CONFIRMED
    assert world.charge(order) is ChargeStatus.CAPTURED
    assert_balanced(world)


def test_a_bank_transfer_that_arrives_after_the_order_expired_is_given_back(world: World):
    order = world.place("pm_bankTransfer", PaymentMethod.BANK_TRANSFER)
    world.until(lambda: world.waits_for_customer(order))
    world.pass_time(timedelta(days=8))
    world.until(lambda: not world.step())
    world.money_arrives(order)
    world.settle()
    assert world.order(order).status is Status.EXPIRED
    assert world.charge(order) is ChargeStatus.REFUNDED
    assert_balanced(world)


def test_a_capture_that_fails_for_good_cancels_the_order(world: World):
    order = world.place("pm_card_captureFail")
    world.settle()
    assert world.order(order).status is Status.CANCELLED
    assert checkout(world, order).outcome is Outcome.HANDED_OVER
    assert world.charge(order) is ChargeStatus.NONE
    assert (world.shelf.on_hand, world.shelf.reserved) == (4, 0)
    assert_balanced(world)


def test_a_capture_that_fails_once_part_of_the_order_left_waits_for_an_operator(world: World):
    order = world.place("pm_card_captureFail")
    world.until(lambda: world.order(order).status is Status.CONFIRMED)
    world.post(f"/v1/orders/{order}/ship", {"carrier": "DHL", "lines": [{"line": 1, "quantity": 1}]})
    world.settle()
    saga = checkout(world, order)
    assert saga.status is SagaStatus.STUCK
    assert saga.trouble
    assert saga.trouble.code == "ALREADY_SHIPPED"
    assert_balanced(world)


def test_an_authorisation_that_is_lost_after_the_pivot_cancels_the_order(world: World):
    order = world.place("pm_card_holdsBriefly")
    world.until(lambda: world.order(order).status is Status.CONFIRMED)
    world.pass_time(timedelta(minutes=5))
    world.settle()
    assert world.order(order).status is Status.CANCELLED
    assert world.charge(order) is ChargeStatus.NONE
    assert_balanced(world)


@pytest.mark.parametrize("moment", range(40))
def test_a_customer_may_cancel_at_every_single_moment(world: World, moment: int):
    order = world.place("pm_card_visa")
    for _ in range(moment):
        world.little()
    cancelled = world.post(f"/v1/orders/{order}/cancel", {}, ANN)
    assert cancelled.refusal is None
    world.settle()
    assert world.order(order).status is Status.CANCELLED
    assert world.order(order).saga is None
    assert world.charge(order) in {None, ChargeStatus.NONE, ChargeStatus.REFUNDED}
    assert (world.shelf.on_hand, world.shelf.reserved) == (4, 0)
    assert_balanced(world)


def test_a_refund_that_the_gateway_refuses_ends_with_an_operator(world: World):
    order = world.place("pm_card_refundFail")
    world.settle()
    world.post(f"/v1/orders/{order}/cancel", {}, ANN)
    world.settle()
    stuck = [saga for saga in world.sagas if not saga.ended]
    assert [saga.status for saga in stuck] == [SagaStatus.COMPENSATION_FAILED]
    assert world.order(order).status is Status.CANCELLED
    world.act(stuck[0], ActionKind.RESOLVE)
    assert all(saga.ended for saga in world.sagas)


def test_returns_are_settled_one_after_the_other(world: World):
    order = world.place("pm_card_visa", quantity=2)
    world.settle()
    world.post(f"/v1/orders/{order}/ship", {"carrier": "DHL"})
    world.post(f"/v1/orders/{order}/deliver", {})
    for line in (1, 2):
        world.post(
            f"/v1/orders/{order}/return",
            {"lines": [{"line": line, "quantity": 1}], "restock": True, "note": "too blue"},
        )
    world.settle()
    assert world.charge(order) is ChargeStatus.PARTIALLY_REFUNDED
    assert world.shelf.on_hand == 2
    assert world.order(order).saga is None
    assert_balanced(world)


def test_a_paused_saga_does_nothing_until_it_is_resumed(world: World):
    order = world.place("pm_card_visa")
    world.deliver("orders")
    world.act(checkout(world, order), ActionKind.PAUSE)
    world.until(lambda: not world.step())
    assert world.order(order).status is Status.PLACED
    world.act(checkout(world, order), ActionKind.RESUME)
    world.settle()
    assert world.order(order).status is Status.CONFIRMED


def test_an_operator_may_cancel_before_the_pivot(world: World):
    order = world.place("pm_card_authenticationRequired")
    world.until(lambda: world.waits_for_customer(order))
    world.act(checkout(world, order), ActionKind.CANCEL)
    world.settle()
    assert world.order(order).status is Status.REJECTED
    assert_balanced(world)


def test_once_an_operator_has_seen_to_the_money_of_a_shipped_order_it_is_let_go(world: World):
    order = world.place("pm_card_captureFail")
    world.until(lambda: world.order(order).status is Status.CONFIRMED)
    world.post(f"/v1/orders/{order}/ship", {"carrier": "DHL", "lines": [{"line": 1, "quantity": 1}]})
    world.settle()
    world.act(checkout(world, order), ActionKind.RESOLVE)
    world.settle()
    assert checkout(world, order).outcome is Outcome.HANDED_OVER
    assert world.order(order).status is Status.PARTIALLY_SHIPPED
    assert world.order(order).saga is None
