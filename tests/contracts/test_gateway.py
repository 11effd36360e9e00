"""What every payment gateway does, the one in memory and Stripe's adapter on the sandbox alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from commands.payments.gateway import (
    ActionNeeded,
    Answer,
    Authorise,
    Capture,
    Declined,
    Intent,
    IntentStatus,
    Invalid,
    RateLimited,
    Refund,
    RefundStatus,
    Succeeded,
    Unknown,
    Void,
)
from domain.ids import AttemptId, CaptureId, OrderId, PaymentId, RefundId, payment_of
from domain.money import Money
from domain.payments.events import Advice
from domain.value import PaymentMethod
from infra.gateway.faults import Fault
from infra.gateway.methods import HOLD, SOON
from tests.contracts.gateways import Side, in_memory, on_the_sandbox

SIDES: Final = {"memory": lambda _: in_memory(), "sandbox": on_the_sandbox}
A_MOMENT: Final = timedelta(seconds=1)


@pytest.fixture(params=SIDES)
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    async with SIDES[request.param](tmp_path) as side:
        yield side


def euros(cents: int) -> Money:
    return Money(amount=cents, currency="EUR")


def authorise(
    token: str | None = "pm_card_visa",
    amount: Money | None = None,
    method: PaymentMethod = PaymentMethod.CREDIT_CARD,
) -> Authorise:
    order = OrderId(uuid4())
    amount = amount or euros(10_000)
    return Authorise(uuid4(), payment_of(order), order, AttemptId(uuid4()), method, amount, token)


def capture(reference: str, cents: int) -> Capture:
    return Capture(uuid4(), reference, CaptureId(uuid4()), euros(cents))


def refund(reference: str, cents: int) -> Refund:
    return Refund(uuid4(), reference, RefundId(uuid4()), euros(cents))


def done(answer: Answer) -> Intent:
    assert isinstance(answer, Succeeded), answer
    return answer.intent


def needed(answer: Answer) -> Intent:
    assert isinstance(answer, ActionNeeded), answer
    return answer.intent


async def seen(side: Side, reference: str) -> Intent:
    intent = await side.gateway.get(reference)
    assert isinstance(intent, Intent), intent
    return intent


async def authorised(side: Side, token: str = "pm_card_visa") -> str:
    return done(await side.gateway.authorise(authorise(token))).reference


async def captured(side: Side, token: str = "pm_card_visa", cents: int = 10_000) -> str:
    reference = await authorised(side, token)
    done(await side.gateway.capture(capture(reference, cents)))
    return reference


# Money is held, taken and let go.


async def test_an_authorisation_holds_the_money(side: Side) -> None:
    request = authorise()
    intent = done(await side.gateway.authorise(request))
    assert (intent.status, intent.amount, intent.authorised) == (IntentStatus.AUTHORISED, euros(10_000), euros(10_000))
    assert (intent.payment_id, intent.attempt_id) == (request.payment_id, request.attempt_id)
    assert intent.captured == euros(0)
    assert intent.expires_at is not None
    assert HOLD - timedelta(minutes=5) < intent.expires_at - intent.at <= HOLD


async def test_a_capture_takes_it_all(side: Side) -> None:
    request = capture(await authorised(side), 10_000)
    intent = done(await side.gateway.capture(request))
    assert (intent.status, intent.captured) == (IntentStatus.CAPTURED, euros(10_000))
    assert intent.capture_id == request.capture_id


async def test_what_a_partial_capture_leaves_can_be_captured_later(side: Side) -> None:
    reference = await authorised(side)
    first = done(await side.gateway.capture(capture(reference, 3_000)))
    assert (first.status, first.captured) == (IntentStatus.CAPTURED, euros(3_000))
    assert first.authorised == euros(10_000)
    assert done(await side.gateway.capture(capture(reference, 7_000))).captured == euros(10_000)


async def test_more_than_is_held_cannot_be_captured(side: Side) -> None:
    answer = await side.gateway.capture(capture(await authorised(side), 10_001))
    assert isinstance(answer, Invalid)
    assert answer.code == "amount_too_large"


async def test_more_than_is_left_cannot_be_captured(side: Side) -> None:
    reference = await captured(side, cents=3_000)
    assert isinstance(await side.gateway.capture(capture(reference, 7_001)), Invalid)


async def test_a_void_lets_the_money_go(side: Side) -> None:
    reference = await authorised(side)
    assert done(await side.gateway.void(Void(uuid4(), reference))).status is IntentStatus.VOIDED
    answer = await side.gateway.capture(capture(reference, 10_000))
    assert isinstance(answer, Invalid)
    assert answer.code == "payment_intent_unexpected_state"


async def test_what_is_void_can_be_voided_again(side: Side) -> None:
    reference = await authorised(side)
    await side.gateway.void(Void(uuid4(), reference))
    answer = await side.gateway.void(Void(uuid4(), reference))
    assert isinstance(answer, Succeeded)
    assert answer.already
    assert answer.intent.status is IntentStatus.VOIDED


async def test_a_void_after_a_partial_capture_lets_the_rest_go(side: Side) -> None:
    reference = await captured(side, cents=3_000)
    intent = done(await side.gateway.void(Void(uuid4(), reference)))
    assert (intent.status, intent.captured) == (IntentStatus.CAPTURED, euros(3_000))
    assert isinstance(await side.gateway.capture(capture(reference, 7_000)), Invalid)


async def test_what_is_captured_cannot_be_voided(side: Side) -> None:
    answer = await side.gateway.void(Void(uuid4(), await captured(side)))
    assert isinstance(answer, Invalid)
    assert answer.code == "payment_intent_unexpected_state"


async def test_a_reference_that_is_not_one_is_refused(side: Side) -> None:
    for answer in (
        await side.gateway.capture(capture("pi_none", 1)),
        await side.gateway.void(Void(uuid4(), "pi_none")),
        await side.gateway.refund(refund("pi_none", 1)),
    ):
        assert isinstance(answer, Invalid)
        assert answer.code == "resource_missing"


async def test_a_token_that_is_not_one_is_refused(side: Side) -> None:
    answer = await side.gateway.authorise(authorise("pm_none"))
    assert isinstance(answer, Invalid)
    assert answer.code == "resource_missing"
    assert "pm_none" in answer.why


# Money is given back.


async def test_a_refund_gives_it_back(side: Side) -> None:
    request = refund(await captured(side), 10_000)
    (given_back,) = done(await side.gateway.refund(request)).refunds
    assert (given_back.refund_id, given_back.amount) == (request.refund_id, euros(10_000))
    assert given_back.status is RefundStatus.SUCCEEDED


async def test_partial_refunds_add_up_and_no_more_than_was_captured_is_refunded(side: Side) -> None:
    reference = await captured(side)
    await side.gateway.refund(refund(reference, 4_000))
    over = await side.gateway.refund(refund(reference, 6_001))
    assert isinstance(over, Invalid), over
    intent = done(await side.gateway.refund(refund(reference, 6_000)))
    assert sorted(seen.amount.amount for seen in intent.refunds) == [4_000, 6_000]
    nothing_left = await side.gateway.refund(refund(reference, 1))
    assert isinstance(nothing_left, Invalid)
    assert nothing_left.code == "charge_already_refunded"


async def test_only_what_was_captured_is_refunded(side: Side) -> None:
    assert isinstance(await side.gateway.refund(refund(await captured(side, cents=3_000), 3_001)), Invalid)
    assert isinstance(await side.gateway.refund(refund(await authorised(side), 1)), Invalid)


async def test_a_refund_asked_for_under_another_key_is_made_once(side: Side) -> None:
    """A key is forgotten after a day; the refund's own id is not."""
    request = refund(await captured(side), 2_000)
    await side.gateway.refund(request)
    answer = await side.gateway.refund(replace(request, key=uuid4()))
    assert isinstance(answer, Succeeded)
    assert answer.already
    assert len(answer.intent.refunds) == 1


async def test_a_capture_asked_for_under_another_key_is_made_once(side: Side) -> None:
    request = capture(await authorised(side), 2_000)
    await side.gateway.capture(request)
    answer = await side.gateway.capture(replace(request, key=uuid4()))
    assert isinstance(answer, Succeeded)
    assert answer.already
    assert answer.intent.captured == euros(2_000)


async def test_a_refund_can_fail_later_and_then_be_made_again(side: Side) -> None:
    reference = await captured(side, "pm_card_refundFail")
    first = done(await side.gateway.refund(refund(reference, 10_000)))
    assert first.refunds[0].status is RefundStatus.SUCCEEDED
    await side.advance(SOON + A_MOMENT)
    (failed,) = (await seen(side, reference)).refunds
    assert (failed.status, failed.code) == (RefundStatus.FAILED, "lost_or_stolen_card")
    assert len(done(await side.gateway.refund(refund(reference, 10_000))).refunds) == 2


async def test_a_refund_can_take_its_time(side: Side) -> None:
    reference = await captured(side, "pm_card_pendingRefund")
    (pending,) = done(await side.gateway.refund(refund(reference, 10_000))).refunds
    assert pending.status is RefundStatus.PENDING
    assert isinstance(await side.gateway.refund(refund(reference, 1)), Invalid)
    await side.advance(SOON + A_MOMENT)
    assert (await seen(side, reference)).refunds[0].status is RefundStatus.SUCCEEDED


async def test_a_refund_that_was_not_ours_is_seen(side: Side) -> None:
    reference = await captured(side)
    await side.refund_directly(reference, euros(2_500))
    (foreign,) = (await seen(side, reference)).refunds
    assert (foreign.refund_id, foreign.amount, foreign.status) == (None, euros(2_500), RefundStatus.SUCCEEDED)


# The bank, or the customer, has a say.


@pytest.mark.parametrize(
    "token,code,advice",
    [
        ("pm_card_chargeDeclined", "generic_decline", Advice.NONE),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", Advice.OTHER_METHOD),
        ("pm_card_chargeDeclinedLostCard", "lost_card", Advice.OTHER_METHOD),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", Advice.OTHER_METHOD),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", Advice.OTHER_METHOD),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", Advice.TRY_AGAIN),
    ],
)
async def test_a_decline_comes_with_advice(side: Side, token: str, code: str, advice: Advice) -> None:
    answer = await side.gateway.authorise(authorise(token))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.advice) == (code, advice)
    intent = await seen(side, answer.reference)
    assert (intent.status, intent.code, intent.advice) == (IntentStatus.DECLINED, code, advice)
    assert intent.authorised is None


async def test_a_decline_asked_about_again_is_the_same(side: Side) -> None:
    request = authorise("pm_card_chargeDeclined")
    first, again = await side.gateway.authorise(request), await side.gateway.authorise(request)
    assert isinstance(first, Declined)
    assert isinstance(again, Declined)
    assert (again.reference, again.code) == (first.reference, first.code)


async def test_a_customer_who_must_act_is_sent_somewhere(side: Side) -> None:
    request = authorise("pm_card_authenticationRequired")
    intent = needed(await side.gateway.authorise(request))
    assert intent.status is IntentStatus.ACTION_REQUIRED
    assert intent.url
    await side.act(intent.reference)
    assert (await seen(side, intent.reference)).status is IntentStatus.AUTHORISED
    again = await side.gateway.authorise(request)
    assert isinstance(again, Succeeded)
    assert again.already
    assert done(await side.gateway.capture(capture(intent.reference, 10_000))).captured == euros(10_000)


async def test_a_customer_who_does_not_pass_is_declined(side: Side) -> None:
    intent = needed(await side.gateway.authorise(authorise("pm_card_authenticationRequired")))
    await side.act(intent.reference, succeed=False)
    declined = await seen(side, intent.reference)
    assert (declined.status, declined.code) == (IntentStatus.DECLINED, "payment_intent_authentication_failure")


async def test_what_waits_for_the_customer_can_be_voided_and_not_captured(side: Side) -> None:
    intent = needed(await side.gateway.authorise(authorise("pm_card_authenticationRequired")))
    assert isinstance(await side.gateway.capture(capture(intent.reference, 1)), Invalid)
    assert done(await side.gateway.void(Void(uuid4(), intent.reference))).status is IntentStatus.VOIDED


async def test_a_wallet_sends_the_customer_to_its_page(side: Side) -> None:
    intent = needed(await side.gateway.authorise(authorise("pm_wallet", method=PaymentMethod.WALLET)))
    assert (intent.status, bool(intent.url)) == (IntentStatus.ACTION_REQUIRED, True)
    await side.act(intent.reference)
    assert (await seen(side, intent.reference)).status is IntentStatus.AUTHORISED


async def test_a_customer_whose_card_is_not_known_is_asked_for_it(side: Side) -> None:
    intent = needed(await side.gateway.authorise(authorise(None)))
    assert (intent.status, bool(intent.url)) == (IntentStatus.ACTION_REQUIRED, True)
    await side.act(intent.reference)
    assert (await seen(side, intent.reference)).status is IntentStatus.AUTHORISED


@pytest.mark.parametrize("token", ["pm_bankTransfer", None])
async def test_a_bank_transfer_is_pending_until_the_money_comes(side: Side, token: str | None) -> None:
    request = authorise(token, method=PaymentMethod.BANK_TRANSFER)
    intent = needed(await side.gateway.authorise(request))
    assert intent.status is IntentStatus.PENDING
    await side.advance(timedelta(days=9))
    assert (await seen(side, intent.reference)).status is IntentStatus.PENDING
    await side.receive(intent.reference)
    arrived = await seen(side, intent.reference)
    assert (arrived.status, arrived.captured, arrived.capture_id) == (IntentStatus.CAPTURED, euros(10_000), None)
    assert isinstance(await side.gateway.authorise(request), Succeeded)
    assert done(await side.gateway.refund(refund(intent.reference, 1_000))).refunds


async def test_a_bank_transfer_can_fail(side: Side) -> None:
    request = authorise("pm_bankTransfer", method=PaymentMethod.BANK_TRANSFER)
    intent = needed(await side.gateway.authorise(request))
    await side.receive(intent.reference, succeed=False)
    assert (await seen(side, intent.reference)).status is IntentStatus.DECLINED


async def test_money_on_its_way_cannot_be_voided_but_money_not_sent_yet_can(side: Side) -> None:
    on_its_way = needed(await side.gateway.authorise(authorise("pm_bankTransfer", method=PaymentMethod.BANK_TRANSFER)))
    assert isinstance(await side.gateway.void(Void(uuid4(), on_its_way.reference)), Invalid)
    not_sent = needed(await side.gateway.authorise(authorise(None, method=PaymentMethod.BANK_TRANSFER)))
    assert done(await side.gateway.void(Void(uuid4(), not_sent.reference))).status is IntentStatus.VOIDED


async def test_an_authorisation_expires(side: Side) -> None:
    reference = await authorised(side)
    await side.advance(HOLD + A_MOMENT)
    assert (await seen(side, reference)).status is IntentStatus.AUTH_EXPIRED
    assert isinstance(await side.gateway.capture(capture(reference, 10_000)), Invalid)
    answer = await side.gateway.void(Void(uuid4(), reference))
    assert isinstance(answer, Succeeded)
    assert answer.already
    assert answer.intent.status is IntentStatus.AUTH_EXPIRED


async def test_some_authorisations_expire_soon(side: Side) -> None:
    reference = await authorised(side, "pm_card_holdsBriefly")
    await side.advance(SOON + A_MOMENT)
    assert (await seen(side, reference)).status is IntentStatus.AUTH_EXPIRED


async def test_what_was_captured_stays_so_when_the_rest_expires(side: Side) -> None:
    reference = await captured(side, cents=3_000)
    await side.advance(HOLD + A_MOMENT)
    intent = await seen(side, reference)
    assert (intent.status, intent.captured) == (IntentStatus.CAPTURED, euros(3_000))
    assert isinstance(await side.gateway.capture(capture(reference, 7_000)), Invalid)


async def test_a_capture_can_be_declined(side: Side) -> None:
    reference = await authorised(side, "pm_card_captureFail")
    answer = await side.gateway.capture(capture(reference, 10_000))
    assert isinstance(answer, Declined)
    assert (answer.reference, answer.code) == (reference, "do_not_honor")
    intent = await seen(side, reference)
    assert (intent.status, intent.captured) == (IntentStatus.AUTHORISED, euros(0))
    assert done(await side.gateway.void(Void(uuid4(), reference))).status is IntentStatus.VOIDED


async def test_a_charge_back_is_seen(side: Side) -> None:
    reference = await captured(side)
    assert (await seen(side, reference)).charged_back is None
    await side.charge_back(reference)
    assert (await seen(side, reference)).charged_back == euros(10_000)
    assert isinstance(await side.gateway.refund(refund(reference, 1)), Invalid)


async def test_a_card_can_be_charged_back_at_once(side: Side) -> None:
    assert (await seen(side, await captured(side, "pm_card_createDispute"))).charged_back == euros(10_000)


# Keys and faults.


async def test_the_same_key_twice_is_once(side: Side) -> None:
    ask = authorise()
    first, again = await side.gateway.authorise(ask), await side.gateway.authorise(ask)
    assert done(first).reference == done(again).reference
    assert isinstance(again, Succeeded)
    assert again.already
    take = capture(done(first).reference, 3_000)
    assert done(await side.gateway.capture(take)).captured == euros(3_000)
    assert done(await side.gateway.capture(take)).captured == euros(3_000)
    give = refund(done(first).reference, 1_000)
    assert len(done(await side.gateway.refund(give)).refunds) == 1
    assert len(done(await side.gateway.refund(give)).refunds) == 1
    assert len([i async for i in found(side, ask.payment_id)]) == 1


async def found(side: Side, payment_id: PaymentId) -> AsyncIterator[Intent]:
    intents = await side.gateway.find(payment_id)
    assert not isinstance(intents, Unknown | RateLimited), intents
    for intent in intents:
        yield intent


async def test_the_same_key_with_another_amount_is_refused(side: Side) -> None:
    ask = authorise()
    reference = done(await side.gateway.authorise(ask)).reference
    give = refund(await captured(side), 1_000)
    await side.gateway.refund(give)
    for answer in (
        await side.gateway.authorise(replace(ask, amount=euros(9_999))),
        await side.gateway.refund(replace(give, refund_id=RefundId(uuid4()), amount=euros(2_000))),
    ):
        assert isinstance(answer, Invalid)
        assert answer.code == "idempotency_error"
    assert (await seen(side, reference)).amount == euros(10_000)


NOT_DONE: Final = (Fault.TIMEOUT_BEFORE, Fault.ERROR_BEFORE, Fault.RATE_LIMITED)
PERHAPS_DONE: Final = (Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.ERROR_KEPT, Fault.CUT)


def failed(answer: object, fault: Fault) -> None:
    if fault is Fault.RATE_LIMITED:
        assert isinstance(answer, RateLimited)
        assert answer.seconds > 0
    else:
        assert isinstance(answer, Unknown)
        assert answer.why


@pytest.mark.parametrize("fault", [*NOT_DONE, *PERHAPS_DONE])
async def test_an_authorisation_of_unknown_outcome_is_asked_for_again(side: Side, fault: Fault) -> None:
    request = authorise()
    await side.fails(fault)
    failed(await side.gateway.authorise(request), fault)
    assert len([i async for i in found(side, request.payment_id)]) == (fault in PERHAPS_DONE)
    assert done(await side.gateway.authorise(request)).status is IntentStatus.AUTHORISED
    assert len([i async for i in found(side, request.payment_id)]) == 1


@pytest.mark.parametrize("fault", [*NOT_DONE, *PERHAPS_DONE])
async def test_a_capture_of_unknown_outcome_is_asked_for_again(side: Side, fault: Fault) -> None:
    request = capture(await authorised(side), 4_000)
    await side.fails(fault)
    failed(await side.gateway.capture(request), fault)
    expected = euros(4_000 if fault in PERHAPS_DONE else 0)
    assert (await seen(side, request.reference)).captured == expected
    assert done(await side.gateway.capture(request)).captured == euros(4_000)


@pytest.mark.parametrize("fault", [*NOT_DONE, *PERHAPS_DONE])
async def test_a_void_of_unknown_outcome_is_asked_for_again(side: Side, fault: Fault) -> None:
    request = Void(uuid4(), await authorised(side))
    await side.fails(fault)
    failed(await side.gateway.void(request), fault)
    expected = IntentStatus.VOIDED if fault in PERHAPS_DONE else IntentStatus.AUTHORISED
    assert (await seen(side, request.reference)).status is expected
    assert done(await side.gateway.void(request)).status is IntentStatus.VOIDED


@pytest.mark.parametrize("fault", [*NOT_DONE, *PERHAPS_DONE])
async def test_a_refund_of_unknown_outcome_is_asked_for_again(side: Side, fault: Fault) -> None:
    request = refund(await captured(side), 4_000)
    await side.fails(fault)
    failed(await side.gateway.refund(request), fault)
    assert len((await seen(side, request.reference)).refunds) == (fault in PERHAPS_DONE)
    assert len(done(await side.gateway.refund(request)).refunds) == 1


async def test_an_error_kept_for_what_was_not_done_is_told_as_kept_and_another_key_goes_through(side: Side) -> None:
    """The bank refused it, and that answer is lost behind an error that the gateway repeats."""
    request = capture(await authorised(side, "pm_card_captureFail"), 4_000)
    await side.fails(Fault.ERROR_KEPT)
    first = await side.gateway.capture(request)
    again = await side.gateway.capture(request)
    assert isinstance(first, Unknown)
    assert isinstance(again, Unknown)
    assert (first.kept, again.kept) == (False, True)
    assert isinstance(await side.gateway.capture(replace(request, key=uuid4())), Declined)


async def test_an_error_kept_for_what_was_done_is_looked_behind(side: Side) -> None:
    request = capture(await authorised(side), 4_000)
    await side.fails(Fault.ERROR_KEPT)
    await side.gateway.capture(request)
    assert done(await side.gateway.capture(request)).captured == euros(4_000)


# Looking.


async def test_what_is_not_there_is_none(side: Side) -> None:
    assert await side.gateway.get("pi_none") is None
    assert [i async for i in found(side, PaymentId(uuid4()))] == []


async def test_every_attempt_of_a_payment_is_found_the_newest_first(side: Side) -> None:
    first = authorise("pm_card_chargeDeclined")
    await side.gateway.authorise(first)
    await side.advance(A_MOMENT)
    second = replace(authorise(), payment_id=first.payment_id)
    await side.gateway.authorise(second)
    await side.gateway.authorise(authorise())
    intents = [i async for i in found(side, first.payment_id)]
    assert [i.attempt_id for i in intents] == [second.attempt_id, first.attempt_id]
    assert [i.status for i in intents] == [IntentStatus.AUTHORISED, IntentStatus.DECLINED]


async def test_what_was_made_since_then_is_listed_as_it_stands(side: Side) -> None:
    await authorised(side)
    await side.advance(timedelta(hours=1))
    later = await captured(side)
    await side.gateway.refund(refund(later, 1_000))
    await side.charge_back(later)
    intents = await side.gateway.since((await seen(side, later)).at - timedelta(minutes=30))
    assert not isinstance(intents, Unknown | RateLimited)
    (intent,) = intents
    assert (intent.reference, intent.captured) == (later, euros(10_000))
    assert (len(intent.refunds), intent.charged_back is not None) == (1, True)


@pytest.mark.parametrize("currency,amount", [("JPY", 500), ("ISK", 500), ("EUR", 501), ("KWD", 1_230), ("BHD", 1_230)])
async def test_currencies_have_the_decimals_they_have(side: Side, currency: str, amount: int) -> None:
    money = Money(amount=amount, currency=currency)
    intent = done(await side.gateway.authorise(authorise(amount=money)))
    assert (intent.amount, intent.authorised) == (money, money)
    taken = await side.gateway.capture(Capture(uuid4(), intent.reference, CaptureId(uuid4()), money))
    assert done(taken).captured == money


async def test_a_third_decimal_that_no_card_network_takes_is_refused(side: Side) -> None:
    answer = await side.gateway.authorise(authorise(amount=Money(amount=1_234, currency="KWD")))
    assert isinstance(answer, Invalid)
    assert (answer.code, "1.234 KWD" in answer.why) == ("invalid_amount", True)
