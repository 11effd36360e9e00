"""In every status of an attempt: what may be asked of the gateway, and that whatever it says is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import DomainError
from domain.ids import AttemptId, derive
from domain.payments import outcomes, requests
from domain.payments.attempt import AttemptStatus
from domain.payments.errors import AttemptActive, NothingToCapture, NothingToRefund, NothingToVoid
from domain.payments.events import Advice, RefundReason
from domain.payments.payment import ChargeStatus, Payment
from domain.payments.requests import Why
from domain.value import PaymentMethod
from tests.domain.payments.samples import (
    CAPTURE,
    CAPTURE_2,
    KEY,
    REFUND,
    REFUND_2,
    WAYS_TO,
    S,
    eur,
    payment,
    said,
)
from tests.specification import AT, as_list

CARD = PaymentMethod.CREDIT_CARD
SECOND = AttemptId(derive("test", "second"))
BEFORE_MONEY = {S.CREATED, S.ACTION_REQUIRED, S.PENDING, S.AUTHORISED}
OVER = {S.DECLINED, S.VOIDED, S.AUTH_EXPIRED, S.REFUNDED, S.CHARGED_BACK}

Decide = Callable[[Payment], Any]
REQUESTS: dict[str, tuple[Decide, set[AttemptStatus], type[DomainError]]] = {
    "begin another": (lambda p: requests.begin(p, SECOND, KEY, CARD, None, at=AT), OVER, AttemptActive),
    "capture": (
        lambda p: requests.capture(p, CAPTURE_2, KEY, at=AT),
        {S.AUTHORISED, S.PARTIALLY_CAPTURED},
        NothingToCapture,
    ),
    "void": (lambda p: requests.void(p, KEY, at=AT), BEFORE_MONEY, NothingToVoid),
    "refund": (
        lambda p: requests.refund(p, REFUND_2, KEY, None, Why(RefundReason.GOODWILL), at=AT),
        {S.PARTIALLY_CAPTURED, S.CAPTURED, S.PARTIALLY_REFUNDED},
        NothingToRefund,
    ),
}

REPORTS: dict[str, tuple[Decide, AttemptStatus]] = {
    "action required": (lambda p: outcomes.record_action_required(p, said(99_999), None, at=AT), S.ACTION_REQUIRED),
    "pending": (lambda p: outcomes.record_pending(p, said(99_999), at=AT), S.PENDING),
    "authorised": (lambda p: outcomes.record_authorised(p, said(99_999), eur(1000), None, at=AT), S.AUTHORISED),
    "declined": (lambda p: outcomes.record_declined(p, said(99_999), "lost", Advice.NONE, at=AT), S.DECLINED),
    "voided": (lambda p: outcomes.record_voided(p, said(99_999), at=AT), S.VOIDED),
    "expired": (lambda p: outcomes.record_authorisation_expired(p, said(99_999), at=AT), S.AUTH_EXPIRED),
    "captured": (lambda p: outcomes.record_captured(p, said(99_999), CAPTURE, eur(1000), at=AT), S.CAPTURED),
    "capture failed": (lambda p: outcomes.record_capture_failed(p, said(99_999), CAPTURE, "no", at=AT), S.CREATED),
    "refunded": (lambda p: outcomes.record_refunded(p, said(99_999), REFUND, eur(1000), at=AT), S.REFUNDED),
    "refund failed": (lambda p: outcomes.record_refund_failed(p, said(99_999), REFUND, "no", at=AT), S.CREATED),
    "charged back": (lambda p: outcomes.record_charged_back(p, said(99_999), eur(1000), at=AT), S.CHARGED_BACK),
}


@pytest.mark.parametrize("status", AttemptStatus)
def test_the_usual_history_leads_to_the_status(status: AttemptStatus) -> None:
    assert payment.given(*WAYS_TO[status]).state.attempts[0].status is status


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("request_", REQUESTS)
def test_each_status_allows_and_refuses_what_it_should(request_: str, status: AttemptStatus) -> None:
    decide, allowed, refusal = REQUESTS[request_]
    state = payment.given(*WAYS_TO[status]).state
    if status in allowed:
        [event] = as_list(decide(state))
        assert payment.evolve(state, event).version == state.version + 1
    else:
        with pytest.raises(refusal):
            decide(state)


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("report", REPORTS)
def test_no_report_is_refused_in_any_status_and_the_second_time_it_is_nothing_new(
    report: str, status: AttemptStatus
) -> None:
    decide, _ = REPORTS[report]
    state = payment.given(*WAYS_TO[status]).state
    for event in as_list(decide(state)):
        state = payment.evolve(state, event)
    assert as_list(decide(state)) == []


@pytest.mark.parametrize("report", [report for report in REPORTS if report != "refunded"])
def test_a_report_on_a_fresh_attempt_leads_to_its_status(report: str) -> None:
    decide, status = REPORTS[report]
    state = payment.given(*WAYS_TO[S.CREATED]).state
    for event in as_list(decide(state)):
        state = payment.evolve(state, event)
    assert state.attempts[0].status is status


CHARGED = {
    S.AUTHORISED: ChargeStatus.AUTHORISED,
    S.PARTIALLY_CAPTURED: ChargeStatus.PARTIALLY_CAPTURED,
    S.CAPTURED: ChargeStatus.CAPTURED,
    S.PARTIALLY_REFUNDED: ChargeStatus.PARTIALLY_REFUNDED,
    S.REFUNDED: ChargeStatus.REFUNDED,
    S.CHARGED_BACK: ChargeStatus.CHARGED_BACK,
}


@pytest.mark.parametrize("status", AttemptStatus)
def test_the_charge_status_of_an_order_with_one_attempt(status: AttemptStatus) -> None:
    state: Payment = payment.given(*WAYS_TO[status]).state
    assert state.status is CHARGED.get(status, ChargeStatus.NONE)
