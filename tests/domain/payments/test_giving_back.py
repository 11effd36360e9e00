"""What is asked for when all of the customer's money is to go back; `test_sums.py` has every history."""

from __future__ import annotations

from domain.ids import new_id
from domain.payments.errors import MoneyUnderWay, NothingToGiveBack
from domain.payments.events import RefundReason, RefundRequested, VoidRequested
from domain.payments.giving_back import give_back
from domain.payments.requests import Why
from tests.domain.payments.samples import (
    CAPTURED,
    authorised,
    capture_requested,
    charged_back,
    created,
    declined,
    eur,
    opened,
    part_captured,
    part_refund_requested,
    part_refunded,
    part_requested,
    payment,
    pending,
    refund_failed,
    refund_requested,
    refunded,
    void_requested,
    voided,
)

WHY = Why(RefundReason.CANCELLATION)


def test_what_is_held_is_let_go() -> None:
    payment.given(opened, created, authorised).when(give_back, WHY, new_id).then(VoidRequested)


def test_an_attempt_of_which_nothing_is_known_yet_is_let_go_too() -> None:
    payment.given(opened, created).when(give_back, WHY, new_id).then(VoidRequested)
    payment.given(opened, created, pending).when(give_back, WHY, new_id).then(VoidRequested)


def test_what_is_captured_is_refunded() -> None:
    [event] = payment.given(*CAPTURED).when(give_back, WHY, new_id).then(RefundRequested)
    assert isinstance(event, RefundRequested)
    assert (event.amount, event.reason) == (eur(1000), RefundReason.CANCELLATION)


def test_where_a_part_is_captured_it_is_refunded_and_the_rest_let_go() -> None:
    given = payment.given(opened, created, authorised, part_requested, part_captured)
    _, refund = given.when(give_back, WHY, new_id).then(VoidRequested, RefundRequested)
    assert isinstance(refund, RefundRequested)
    assert refund.amount == eur(400)


def test_what_was_refunded_before_is_not_given_back_again() -> None:
    given = payment.given(*CAPTURED, part_refund_requested, part_refunded)
    [event] = given.when(give_back, WHY, new_id).then(RefundRequested)
    assert isinstance(event, RefundRequested)
    assert event.amount == eur(700)


def test_while_something_is_under_way_it_is_waited_for() -> None:
    for history in (
        (opened, created, authorised, capture_requested),
        (opened, created, authorised, void_requested),
        (*CAPTURED, refund_requested),
    ):
        refusal = payment.given(*history).when(give_back, WHY, new_id).refused(MoneyUnderWay)
        assert refusal.retryable
        assert not refusal.final


def test_what_failed_is_asked_for_again() -> None:
    payment.given(*CAPTURED, refund_requested, refund_failed).when(give_back, WHY, new_id).then(RefundRequested)


def test_in_the_end_nothing_is_left() -> None:
    for history in (
        (opened,),
        (opened, created, declined),
        (opened, created, authorised, void_requested, voided),
        (*CAPTURED, refund_requested, refunded),
        (*CAPTURED, charged_back),
    ):
        refusal = payment.given(*history).when(give_back, WHY, new_id).refused(NothingToGiveBack)
        assert refusal.final
