from __future__ import annotations

from domain.ids import AttemptId, CaptureId, derive, payment_of
from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.errors import (
    AttemptActive,
    CaptureUnderWay,
    MoreThanAuthorised,
    MoreThanCaptured,
    NothingToCapture,
    NothingToPay,
    NothingToRefund,
    NotPositive,
)
from domain.payments.events import (
    AttemptCreated,
    CaptureRequested,
    PaymentCaptured,
    PaymentOpened,
    PaymentRefunded,
    RefundReason,
)
from domain.payments.payment import ChargeStatus
from domain.payments.requests import Why, begin, capture, open_payment, refund, void
from domain.value import PaymentMethod
from tests.domain.payments.samples import (
    ATTEMPT,
    CAPTURE,
    CAPTURE_2,
    CAPTURED,
    CUSTOMER,
    KEY,
    ORDER,
    REFUND,
    REFUND_2,
    authorised,
    capture_requested,
    created,
    declined,
    eur,
    opened,
    part_captured,
    part_refund_requested,
    part_requested,
    payment,
    refund_failed,
    refund_requested,
    told,
    void_requested,
)
from tests.specification import AT, Given, a

CARD, GOODWILL = PaymentMethod.CREDIT_CARD, Why(RefundReason.GOODWILL)
SECOND = AttemptId(derive("test", "second"))


def test_an_order_has_one_payment_whose_id_follows_from_it() -> None:
    [event] = Given(ORDER).when(open_payment, CUSTOMER, eur(1000)).then(PaymentOpened)
    assert event.originator_id == payment_of(ORDER) == derive("payment", ORDER)


def test_an_attempt_is_for_what_is_left_to_pay() -> None:
    payment.given(opened).when(begin, ATTEMPT, KEY, CARD, "pm_card").then(created)


def test_one_attempt_at_a_time_is_active() -> None:
    payment.given(opened, created).when(begin, SECOND, KEY, CARD, None).refused(AttemptActive, status="CREATED")
    payment.given(opened, created, declined).when(begin, SECOND, KEY, CARD, None).then(AttemptCreated)


def test_an_attempt_with_money_still_to_be_captured_is_active() -> None:
    part_refunded = told(PaymentRefunded, 5, refund_id=REFUND, amount=eur(400))
    given = payment.given(opened, created, authorised, part_requested, part_captured, part_refunded)
    assert given.state.attempts[0].status is AttemptStatus.REFUNDED
    given.when(begin, SECOND, KEY, CARD, None).refused(AttemptActive)


def test_the_same_attempt_begins_once() -> None:
    payment.given(opened, created).when(begin, ATTEMPT, KEY, CARD, None).then()


def test_nothing_is_begun_where_nothing_is_due() -> None:
    free = a(PaymentOpened, order_id=ORDER, customer_id=CUSTOMER, due=eur(0))
    payment.given(free).when(begin, ATTEMPT, KEY, CARD, None).refused(NothingToPay)


def test_all_that_is_authorised_is_captured_unless_told_otherwise() -> None:
    payment.given(opened, created, authorised).when(capture, CAPTURE, KEY).then(capture_requested)
    payment.given(opened, created, authorised).when(capture, CAPTURE, KEY, eur(400)).then(part_requested)


def test_captures_under_way_count() -> None:
    given = payment.given(opened, created, authorised, part_requested)
    given.when(capture, CAPTURE_2, KEY, eur(601)).refused(MoreThanAuthorised, available=eur(600).model_dump())
    given.when(capture, CAPTURE_2, KEY, eur(600)).then(
        a(CaptureRequested, attempt_id=ATTEMPT, capture_id=CAPTURE_2, gateway_key=KEY, amount=eur(600))
    )


def test_nothing_is_captured_once_a_void_was_asked_for() -> None:
    payment.given(opened, created, authorised, void_requested).when(capture, CAPTURE, KEY).refused(NothingToCapture)


def test_a_void_waits_for_the_outcome_of_a_capture() -> None:
    payment.given(opened, created, authorised, part_requested).when(void, KEY).refused(CaptureUnderWay)


def test_a_void_is_asked_for_once() -> None:
    payment.given(opened, created, authorised).when(void, KEY).then(void_requested)
    payment.given(opened, created, authorised, void_requested).when(void, KEY).then()


def test_what_is_captured_is_refunded() -> None:
    payment.given(*CAPTURED).when(refund, REFUND, KEY, None, Why(RefundReason.CANCELLATION)).then(refund_requested)


def test_refunds_under_way_count_until_they_fail() -> None:
    given = payment.given(*CAPTURED, part_refund_requested)
    given.when(refund, REFUND_2, KEY, eur(701), GOODWILL).refused(MoreThanCaptured, available=eur(700).model_dump())
    payment.given(*CAPTURED, refund_requested).when(refund, REFUND_2, KEY, eur(1), GOODWILL).refused(NothingToRefund)
    again = payment.given(*CAPTURED, refund_requested, refund_failed)
    again.when(refund, REFUND, KEY, None, Why(RefundReason.CANCELLATION)).then(refund_requested)


def test_the_same_capture_or_refund_twice_is_asked_for_once() -> None:
    payment.given(opened, created, authorised, capture_requested).when(capture, CAPTURE, KEY).then()
    payment.given(*CAPTURED, refund_requested).when(refund, REFUND, KEY, None, GOODWILL).then()
    payment.given(*CAPTURED).when(capture, CAPTURE, KEY).then()


def test_what_failed_is_one_entry_when_it_is_asked_for_again() -> None:
    state = payment.given(*CAPTURED, refund_requested, refund_failed, refund_requested).state
    (entry,) = state.attempts[0].refunds
    assert (entry.status, entry.amount) == (EntryStatus.PENDING, eur(1000))
    again = payment.evolve(state, refund_failed(state.id, state.version + 1))
    assert again.attempts[0].refunds[0].status is EntryStatus.PENDING, "the first failure, told once more"


def test_nothing_is_no_amount() -> None:
    payment.given(opened, created, authorised).when(capture, CAPTURE, KEY, eur(0)).refused(NotPositive)
    payment.given(*CAPTURED).when(refund, REFUND, KEY, eur(0), GOODWILL).refused(NotPositive)


def test_more_than_is_due_is_an_overcharge_until_it_is_refunded() -> None:
    twice = told(PaymentCaptured, 5, capture_id=CaptureId(derive("test", "from the gateway")), amount=eur(1000))
    state = payment.given(*CAPTURED, twice).state
    assert state.status is ChargeStatus.OVERCHARGED
    assert refund(state, REFUND, KEY, eur(1000), Why(RefundReason.OVERCHARGE), at=AT)
