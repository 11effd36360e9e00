"""What the gateway said is recorded, however late and in whatever order."""

from __future__ import annotations

import pytest

from domain.event import Event
from domain.ids import AttemptId, RefundId, derive
from domain.money import Money
from domain.payments.attempt import AttemptStatus
from domain.payments.events import (
    ActionRequired,
    AttemptPending,
    AttemptVoided,
    OutcomeUnmatched,
    PaymentAuthorised,
    PaymentChargedBack,
    PaymentRefunded,
    RefundFailed,
)
from domain.payments.outcomes import (
    record_authorised,
    record_captured,
    record_charged_back,
    record_refund_failed,
    record_refunded,
    record_voided,
)
from domain.payments.payment import ChargeStatus
from tests.domain.payments.samples import (
    CAPTURE,
    CAPTURED,
    INTENT,
    REFUND,
    authorised,
    captured,
    charged_back,
    created,
    declined,
    eur,
    minute,
    opened,
    payment,
    refund_requested,
    refunded,
    said,
    told,
    voided,
)
from tests.specification import AT, a

UNKNOWN = AttemptId(derive("test", "unknown"))


def test_an_authorisation_is_recorded_once() -> None:
    payment.given(opened, created).when(record_authorised, said(2), eur(1000), minute(10_000)).then(authorised)
    payment.given(opened, created, authorised).when(record_authorised, said(2), eur(1000), None).then()


def test_an_authorisation_that_is_told_after_its_void_is_recorded_and_stays_void() -> None:
    payment.given(opened, created, voided).when(record_authorised, said(2), eur(1000), None).then(PaymentAuthorised)
    state = payment.given(opened, created, voided, authorised).state
    assert (state.attempts[0].status, state.status) == (AttemptStatus.VOIDED, ChargeStatus.NONE)


@pytest.mark.parametrize("waiting", [ActionRequired, AttemptPending])
def test_what_is_authorised_does_not_wait_again_though_an_older_word_is_dated_later(
    waiting: type[Event],
) -> None:
    late = told(waiting, 3, **({"url": None} if waiting is ActionRequired else {}))
    for events in ((authorised, late), (late, authorised)):
        state = payment.given(opened, created, *events).state
        assert state.attempts[0].capturable == eur(1000)


def test_an_authorisation_that_came_after_a_decline_is_seen() -> None:
    payment.given(opened, created, declined).when(record_authorised, said(3), eur(1000), None).then(PaymentAuthorised)


def test_money_that_was_captured_after_all_is_seen_whatever_was_told_before() -> None:
    given = payment.given(opened, created, authorised, voided)
    given.when(record_captured, said(4), CAPTURE, eur(1000)).then(captured)
    assert payment.given(opened, created, authorised, voided, captured).state.status is ChargeStatus.CAPTURED


def test_a_refund_that_the_gateway_made_by_itself_is_seen() -> None:
    by_hand = RefundId(derive("test", "by hand"))
    given = payment.given(*CAPTURED)
    [event] = given.when(record_refunded, said(6), by_hand, eur(1000)).then(PaymentRefunded)
    assert payment.evolve(given.state, event).status is ChargeStatus.REFUNDED


def test_a_refund_that_fails_after_it_succeeded_leaves_the_money_with_us() -> None:
    given = payment.given(*CAPTURED, refund_requested, refunded)
    [event] = given.when(record_refund_failed, said(7), REFUND, "account closed").then(RefundFailed)
    assert payment.evolve(given.state, event).status is ChargeStatus.CAPTURED


def test_a_failure_that_is_older_than_the_success_is_nothing_new() -> None:
    payment.given(*CAPTURED, refund_requested, refunded).when(record_refund_failed, said(4), REFUND, "late").then()


def test_what_is_said_of_an_unknown_attempt_is_kept() -> None:
    payment.given(opened, created).when(record_voided, said(3, UNKNOWN)).then(
        a(
            OutcomeUnmatched,
            attempt_id=UNKNOWN,
            reference=INTENT,
            happened_at=minute(3),
            said="payments.attempt-voided",
            amount=None,
        )
    )


def test_money_of_another_currency_fits_no_attempt() -> None:
    yen = Money(amount=1000, currency="JPY")
    given = payment.given(opened, created)
    [event] = given.when(record_captured, said(3), CAPTURE, yen).then(OutcomeUnmatched)
    assert payment.evolve(given.state, event).unmatched == 1


def test_of_two_words_of_one_moment_the_one_further_on_holds() -> None:
    """Gateways may count whole seconds: what was let go at once stays so, in whatever order we hear of it."""
    at_once = payment.given(opened, created, told(AttemptVoided, 2))
    at_once.when(record_authorised, said(2), eur(1000), None).then(PaymentAuthorised)
    for story in ((told(AttemptVoided, 2), authorised), (authorised, told(AttemptVoided, 2))):
        assert payment.given(opened, created, *story).state.attempts[0].told is AttemptStatus.VOIDED


def test_a_dispute_that_was_won_gives_the_money_back_to_us_and_older_news_of_it_change_nothing() -> None:
    given = payment.given(*CAPTURED, charged_back)
    [won] = given.when(record_charged_back, said(9), eur(0)).then(PaymentChargedBack)
    state = payment.evolve(given.state, won)
    assert state.status is ChargeStatus.CAPTURED
    assert record_charged_back(state, said(6), eur(1000), at=AT) is None
