"""From the gateway's words to events: in any order, however often, they come to what the gateway has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from commands.payments.gateway import Declined, Intent, IntentStatus, Invalid, RefundSeen, RefundStatus, Succeeded
from commands.payments.reports import Asked, Request, of_answer, of_intent
from domain.ids import CaptureId, RefundId
from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.events import Advice, CaptureRequested
from domain.payments.payment import Payment, evolve
from tests import full
from tests.domain.payments.samples import (
    ATTEMPT,
    CAPTURE,
    CAPTURE_2,
    CAPTURED,
    INTENT,
    KEY,
    REFUND,
    authorised,
    capture_requested,
    created,
    eur,
    minute,
    opened,
    part_requested,
    payment,
    refund_requested,
)
from tests.specification import AT, a

rest_requested = a(CaptureRequested, attempt_id=ATTEMPT, capture_id=CAPTURE_2, gateway_key=KEY, amount=eur(600))


def intent(status: IntentStatus = IntentStatus.CAPTURED, captured: int = 0, at: int = 5, **more: Any) -> Intent:
    more = {"attempt_id": ATTEMPT} | more
    return Intent(INTENT, status, eur(1000), eur(captured), minute(at), **more)


def after(state: Payment, told: Intent) -> Payment:
    for event in of_intent(state, told, at=AT):
        assert event.originator_version == state.version + 1
        state = evolve(state, event)
    return state


def captures(state: Payment) -> dict[UUID, tuple[EntryStatus, int]]:
    return {entry.id: (entry.status, entry.amount.amount) for entry in state.attempts[0].captures}


def test_what_is_captured_goes_to_the_capture_that_the_gateway_names() -> None:
    state = payment.given(opened, created, authorised, part_requested, rest_requested).state
    named = after(state, intent(captured=600, capture_id=CAPTURE_2))
    assert captures(named) == {CAPTURE: (EntryStatus.PENDING, 400), CAPTURE_2: (EntryStatus.SUCCEEDED, 600)}


def test_where_it_names_none_it_goes_to_the_one_whose_amount_it_is() -> None:
    state = payment.given(opened, created, authorised, part_requested, rest_requested).state
    assert captures(after(state, intent(captured=600)))[CAPTURE_2] == (EntryStatus.SUCCEEDED, 600)
    assert captures(after(state, intent(captured=1000))) == {
        CAPTURE: (EntryStatus.SUCCEEDED, 400),
        CAPTURE_2: (EntryStatus.SUCCEEDED, 600),
    }


def test_what_we_never_asked_for_was_somebody_elses_capture() -> None:
    state = payment.given(opened, created, authorised, capture_requested).state
    seen = after(state, intent(captured=300))
    assert captures(seen)[CAPTURE] == (EntryStatus.PENDING, 1000)
    assert seen.captured == eur(300)
    assert after(seen, intent(captured=300)) == seen


def test_money_that_comes_without_an_authorisation_was_authorised() -> None:
    state = after(payment.given(opened, created).state, intent(captured=1000))
    assert (state.attempts[0].authorised, state.captured) == (eur(1000), eur(1000))


def test_of_tries_of_one_refund_the_one_that_went_furthest_counts() -> None:
    state = payment.given(*CAPTURED, refund_requested).state
    refunds = (
        RefundSeen("re_2", REFUND, eur(1000), RefundStatus.SUCCEEDED),
        RefundSeen("re_1", REFUND, eur(1000), RefundStatus.FAILED, "lost"),
    )
    for order in (refunds, refunds[::-1]):
        assert after(state, intent(captured=1000, refunds=order)).refunded == eur(1000)


def test_a_refusal_of_what_was_done_after_all_is_no_failure() -> None:
    state = payment.given(opened, created, authorised, capture_requested).state
    request = Request(Asked.CAPTURE, ATTEMPT, CAPTURE)
    done = Declined(intent(captured=1000), INTENT, "already_captured", Advice.NONE, minute(6))
    assert [event.TOPIC for event in of_answer(state, request, done, at=AT)] == ["payments.payment-captured"]
    not_done = Invalid("charge_expired", "it is too late")
    assert [event.TOPIC for event in of_answer(state, request, not_done, at=AT)] == ["payments.capture-failed"]


def test_an_answer_to_what_was_asked_is_about_that_attempt_whatever_it_says() -> None:
    state = payment.given(opened, created).state
    answer = Succeeded(intent(IntentStatus.AUTHORISED, attempt_id=None))
    (event,) = of_answer(state, Request(Asked.AUTHORISE, ATTEMPT), answer, at=AT)
    assert event.attempt_id == ATTEMPT


# -- any history of an attempt at the gateway, told in any order and often

steps = st.lists(st.sampled_from(["capture", "their capture", "refund", "their refund", "dispute"]), max_size=6)


def history(steps: list[str]) -> list[Intent]:
    """An attempt as it was after each thing that happened to it."""
    told = [intent(IntentStatus.ACTION_REQUIRED, at=1), intent(IntentStatus.AUTHORISED, at=2, authorised=eur(1000))]
    for n, step in enumerate(steps, 3):
        last = replace(told[-1], at=minute(n))
        captured = last.captured.amount
        left = captured - sum(r.amount.amount for r in last.refunds)
        match step:
            case "capture" | "their capture" if captured <= 600:
                id = CaptureId(UUID(int=n)) if step == "capture" else None
                taken = eur(captured + 400)
                last = replace(last, status=IntentStatus.CAPTURED, captured=taken, capture_id=id)
            case "refund" | "their refund" if left >= 200 and not last.charged_back:
                refund_id = RefundId(UUID(int=n)) if step == "refund" else None
                seen = RefundSeen(f"re_{n}", refund_id, eur(200), RefundStatus.SUCCEEDED)
                last = replace(last, refunds=(*last.refunds, seen))
            case "dispute" if left and not last.charged_back:
                last = replace(last, charged_back=eur(left))
        told.append(last)
    return told


@pytest.mark.full("payments")
@seed(full.seed())
@settings(max_examples=full.size(300, 20_000, suite="payments"), deadline=None)
@given(steps, st.data())
def test_in_any_order_and_however_often_it_comes_to_what_the_gateway_has(steps: list[str], data: st.DataObject) -> None:
    told = history(steps)
    heard = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told), max_size=5))]))
    state = payment.given(opened, created).state
    for one in heard:
        state = after(state, one)
        assert after(state, one) == state
    last, attempt = told[-1], state.attempts[0]
    assert attempt.captured == last.captured
    assert attempt.refunded == eur(sum(refund.amount.amount for refund in last.refunds))
    assert attempt.charged_back == (last.charged_back or eur(0))
    assert attempt.told is AttemptStatus.AUTHORISED
