from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import AttemptId, derive, payment_of
from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.events import (
    Advice,
    AttemptVoided,
    AuthorisationExpired,
    CaptureFailed,
    OutcomeUnmatched,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentChargedBack,
    PaymentRefunded,
    RefundReason,
)
from domain.payments.payment import ChargeStatus, evolve
from domain.value import PaymentMethod
from projections.model import CannotApply
from projections.payments.projector import PAYMENTS, payments, unmatched
from projections.payments.row import ActionKind, EntryKind, NextActionRow, PaymentRow, UnmatchedRow
from tests.domain.payments.samples import (
    ATTEMPT,
    CAPTURE,
    CAPTURED,
    CUSTOMER,
    INTENT,
    ORDER,
    REFUND,
    WAYS_TO,
    action_required,
    authorised,
    capture_failed,
    capture_requested,
    captured,
    charged_back,
    created,
    declined,
    eur,
    minute,
    opened,
    part_captured,
    part_refund_requested,
    part_refunded,
    part_requested,
    pending,
    refund_requested,
    told,
    void_requested,
    voided,
)
from tests.projections.fakes import recorded
from tests.specification import AT, Make, a

PAYMENT = payment_of(ORDER)
BY = f"user:{CUSTOMER}"
AUTHORISED, CAUGHT, BACK, TAKEN = EntryKind
STRANGE = AttemptId(derive("test", "strange attempt"))

lost = a(
    OutcomeUnmatched,
    attempt_id=STRANGE,
    reference="pi_2",
    happened_at=minute(9),
    said=PaymentCaptured.TOPIC,
    amount=eur(500),
)


def row_after(*story: Make) -> PaymentRow:
    row = None
    for version, make in enumerate(story, 1):
        row = payments.apply(row, recorded(make(PAYMENT, version), version, BY))
    assert row is not None
    return row


def state_after(*story: Make) -> Any:
    state: Any = None
    for version, make in enumerate(story, 1):
        state = evolve(state, make(PAYMENT, version))  # type: ignore[arg-type]
    return state


def ledger(row: PaymentRow) -> list[tuple[EntryKind, int]]:
    return [(entry.kind, entry.amount) for entry in row.ledger]


@pytest.mark.parametrize("story", WAYS_TO.values(), ids=list(WAYS_TO))
def test_the_row_agrees_with_the_aggregate(story: Sequence[Make]) -> None:
    state, row = state_after(*story), row_after(*story)
    assert (row.id, row.version, row.status, row.state) == (state.id, state.version, state.status, state)
    assert [(attempt.id, attempt.status) for attempt in row.attempts] == [(a.id, a.status) for a in state.attempts]
    assert (row.captured, row.refunded) == (state.captured.amount, state.refunded.amount)
    assert (row.charged_back, row.paid) == (state.charged_back.amount, state.paid.amount)
    assert row.active_attempt_id == (state.active.id if state.active else None)


def test_an_opened_payment_says_what_is_due_from_whom_for_what() -> None:
    row = row_after(opened)
    assert (row.order_id, row.customer_id, row.due, row.currency) == (ORDER, CUSTOMER, 1000, "EUR")
    assert (row.status, row.method, row.active_attempt_id, row.ledger) == (ChargeStatus.NONE, None, None, ())


def test_a_payment_is_paid_by_the_method_of_its_last_attempt() -> None:
    assert row_after(opened, created).method is PaymentMethod.CREDIT_CARD


def test_the_customer_is_told_where_to_go_while_something_is_to_be_done() -> None:
    row = row_after(opened, created, action_required)
    assert row.next_action == NextActionRow(ATTEMPT, ActionKind.REDIRECT, "https://bank.example/3ds")
    assert row_after(opened, created, action_required, authorised).next_action is None


def test_an_action_without_an_address_is_done_in_the_gateways_own_form() -> None:
    row = row_after(opened, created, lambda id, version: action_required(id, version).model_copy(update={"url": None}))
    assert row.next_action == NextActionRow(ATTEMPT, ActionKind.CONFIRM, None)


def test_money_is_entered_in_the_ledger_with_its_sums() -> None:
    row = row_after(*CAPTURED, part_refund_requested, part_refunded)
    assert ledger(row) == [(AUTHORISED, 1000), (CAUGHT, 1000), (BACK, 300)]
    assert [entry.number for entry in row.ledger] == [1, 2, 3]
    last = row.ledger[-1]
    assert (last.authorised, last.captured, last.refunded, last.charged_back) == (1000, 1000, 300, 0)
    assert (last.at, last.happened_at, last.reference, last.attempt_id) == (AT, minute(5), INTENT, ATTEMPT)


def test_a_hold_that_is_let_go_is_taken_out_of_the_ledger() -> None:
    row = row_after(opened, created, authorised, void_requested, voided)
    assert ledger(row) == [(AUTHORISED, 1000), (AUTHORISED, -1000)]
    assert (row.authorised, row.attempts[0].authorised, row.attempts[0].voiding) == (0, 1000, True)


def test_what_the_gateway_takes_back_is_taken_out_of_the_ledger() -> None:
    later = told(CaptureFailed, 8, capture_id=CAPTURE, code="reversed")
    row = row_after(*CAPTURED, later)
    assert ledger(row) == [(AUTHORISED, 1000), (CAUGHT, 1000), (CAUGHT, -1000)]
    assert (row.captured, row.timeline[-1].code) == (0, "reversed")


def test_a_charge_back_is_entered_with_what_is_new_of_it() -> None:
    half = told(PaymentChargedBack, 6, amount=eur(400))
    row = row_after(*CAPTURED, half, charged_back)
    assert ledger(row)[2:] == [(TAKEN, 400), (TAKEN, 600)]
    assert (row.status, row.paid) == (ChargeStatus.CHARGED_BACK, 0)


def test_captures_and_refunds_are_shown_with_the_gateways_names_for_them() -> None:
    [attempt] = row_after(opened, created, authorised, part_requested).attempts
    assert [(c.id, c.amount, c.status, c.reference) for c in attempt.captures] == [
        (CAPTURE, 400, EntryStatus.PENDING, None)
    ]
    [attempt] = row_after(*CAPTURED, part_refund_requested, part_refunded).attempts
    assert [(c.status, c.reference) for c in attempt.captures] == [(EntryStatus.SUCCEEDED, INTENT)]
    assert [(r.id, r.amount, r.reference) for r in attempt.refunds] == [(REFUND, 300, INTENT)]


def test_an_attempt_says_how_long_the_money_is_held_or_why_it_was_declined() -> None:
    [held] = row_after(opened, created, pending, authorised).attempts
    assert (held.expires_at, held.reference, held.created_at) == (minute(10_000), INTENT, AT)
    [refused] = row_after(opened, created, declined).attempts
    assert (refused.declined, refused.advice) == ("insufficient_funds", Advice.OTHER_METHOD)


def test_a_payment_is_known_by_every_name_the_gateway_used() -> None:
    charge = told(PaymentCaptured, 4, capture_id=CAPTURE, amount=eur(1000))
    named = lambda id, version: charge(id, version).model_copy(update={"reference": "ch_1"})  # noqa: E731
    row = row_after(opened, created, authorised, capture_requested, named, lost)
    assert row.provider_ids == (INTENT, "ch_1", "pi_2")
    assert row.attempts[0].captures[0].reference == "ch_1"


def test_every_change_is_on_the_timeline() -> None:
    row = row_after(opened, created, authorised, capture_requested, capture_failed)
    assert [(e.version, e.event, e.status, e.attempt_status, e.amount, e.code) for e in row.timeline] == [
        (1, "payments.payment-opened", ChargeStatus.NONE, None, 1000, None),
        (2, "payments.attempt-created", ChargeStatus.NONE, AttemptStatus.CREATED, 1000, None),
        (3, "payments.payment-authorised", ChargeStatus.AUTHORISED, AttemptStatus.AUTHORISED, 1000, None),
        (4, "payments.capture-requested", ChargeStatus.AUTHORISED, AttemptStatus.AUTHORISED, 1000, None),
        (5, "payments.capture-failed", ChargeStatus.AUTHORISED, AttemptStatus.AUTHORISED, None, "processing_error"),
    ]
    assert {e.actor for e in row.timeline} == {BY}
    assert row_after(*CAPTURED, refund_requested).timeline[-1].reason is RefundReason.CANCELLATION


def test_what_fits_no_attempt_is_counted_and_kept_in_a_row_of_its_own() -> None:
    row = row_after(opened, created, lost)
    assert (row.unmatched, row.captured, row.ledger) == (1, 0, ())
    event = lost(PAYMENT, 3)
    [(_, payment_row), (projector, id)] = PAYMENTS.touched(event)
    assert (payment_row, projector) == (PAYMENT, unmatched)
    kept: UnmatchedRow = unmatched.apply(None, recorded(event, 3))
    assert kept == UnmatchedRow(id, 3, AT, PAYMENT, STRANGE, PaymentCaptured.TOPIC, "pi_2", 500, "EUR", minute(9), AT)


def test_two_that_fit_nothing_are_two_rows() -> None:
    assert unmatched.key_of(lost(PAYMENT, 3)) != unmatched.key_of(lost(PAYMENT, 4))


def test_nothing_is_known_of_a_payment_that_was_not_opened() -> None:
    with pytest.raises(CannotApply, match="no row yet"):
        payments.apply(None, recorded(created(PAYMENT, 2), 1))


minutes = st.integers(1, 20)
amounts = st.integers(1, 1200).map(eur)
ids = st.integers(1, 3).map(lambda n: derive("test", f"part {n}"))
reports: st.SearchStrategy[Make] = st.one_of(
    st.builds(lambda n, amount: told(PaymentAuthorised, n, amount=amount, expires_at=None), minutes, amounts),
    st.builds(lambda n: told(AttemptVoided, n), minutes),
    st.builds(lambda n: told(AuthorisationExpired, n), minutes),
    st.builds(lambda n, id, amount: told(PaymentCaptured, n, capture_id=id, amount=amount), minutes, ids, amounts),
    st.builds(lambda n, id: told(CaptureFailed, n, capture_id=id, code="no"), minutes, ids),
    st.builds(lambda n, id, amount: told(PaymentRefunded, n, refund_id=id, amount=amount), minutes, ids, amounts),
    st.builds(lambda n, amount: told(PaymentChargedBack, n, amount=amount), minutes, amounts),
    st.sampled_from([capture_requested, refund_requested, void_requested, part_captured, captured, lost]),
)


@given(st.lists(reports, max_size=30))
def test_the_ledger_adds_up_whatever_is_reported_in_whatever_order(story: Iterable[Make]) -> None:
    row, state = row_after(opened, created, *story), state_after(opened, created, *story)
    for kind, total in zip(EntryKind, (row.authorised, row.captured, row.refunded, row.charged_back), strict=True):
        assert sum(entry.amount for entry in row.ledger if entry.kind is kind) == total
    assert (row.captured, row.refunded, row.charged_back) == (
        state.captured.amount,
        state.refunded.amount,
        state.charged_back.amount,
    )
    if row.ledger:
        last = row.ledger[-1]
        assert (last.authorised, last.captured) == (row.authorised, row.captured)
        assert (last.refunded, last.charged_back) == (row.refunded, row.charged_back)
