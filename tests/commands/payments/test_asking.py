"""What payments ask of the gateway, and every way in which it may not answer: one outcome, and never charged twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from commands.payments.gateway import Capture, IntentStatus
from domain.ids import CaptureId, new_id
from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.events import CaptureFailed, PaymentDeclined, RefundFailed
from domain.payments.payment import ChargeStatus
from infra.gateway.faults import Fault
from infra.paying import KEYS_LIVE, NotTold, NotVoided
from projections.doing import Done, Later
from tests.commands.payments.desk import DECLINED, REDIRECT, Desk, eur, work_of

TIMELY = (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.CUT)


async def last(desk: Desk) -> type:
    return type((await desk.events())[-1])


async def test_an_authorised_payment(desk: Desk) -> None:
    id = await desk.authorised()
    assert (await desk.types())[-1] == "payment-authorised"
    assert (await desk.attempt(id)).reference == (await desk.seen(id)).reference


async def test_a_decline_is_recorded_with_its_code(desk: Desk) -> None:
    await desk.authorised(DECLINED)
    declined = (await desk.events())[-1]
    assert isinstance(declined, PaymentDeclined)
    assert declined.code == "insufficient_funds"


async def test_what_the_gateway_will_never_do_is_a_decline_too(desk: Desk) -> None:
    id = await desk.authorised("pm_unheard_of")
    declined = (await desk.events())[-1]
    assert isinstance(declined, PaymentDeclined)
    assert (declined.code, declined.reference) == ("resource_missing", "")
    assert (await desk.attempt(id)).reference is None


async def test_a_customer_who_has_to_act_first(desk: Desk) -> None:
    id = await desk.authorised(REDIRECT)
    assert (await desk.attempt(id)).status is AttemptStatus.ACTION_REQUIRED


async def test_a_capture_that_the_bank_refuses_has_failed(desk: Desk) -> None:
    id = await desk.captured(token="pm_card_captureFail")
    assert await last(desk) is CaptureFailed
    assert (await desk.payment(id)).status is ChargeStatus.AUTHORISED


async def test_a_capture_of_what_has_expired_has_failed_and_the_expiry_is_seen(desk: Desk) -> None:
    id = await desk.authorised("pm_card_holdsBriefly")
    desk.clock.moved += timedelta(minutes=5)
    await desk.ask(id, "capture")
    await desk.work()
    assert (await desk.types())[-2:] == ["authorisation-expired", "capture-failed"]


async def test_a_refund_beyond_what_is_left_at_the_gateway_has_failed(desk: Desk) -> None:
    id = await desk.captured()
    desk.gateway.refund_directly((await desk.seen(id)).reference, eur(900))
    await desk.ask(id, "refund", reason="GOODWILL", amount=eur(500).model_dump())
    await desk.work()
    assert (await desk.types())[-2:] == ["payment-refunded", "refund-failed"]
    assert (await desk.payment(id)).paid == eur(100)


async def test_a_refund_that_is_under_way_is_waited_for_and_not_sent_again(desk: Desk) -> None:
    id = await desk.captured(token="pm_card_pendingRefund")
    await desk.ask(id, "refund", reason="RETURN")
    (later,) = await desk.work()
    assert isinstance(later, Later)
    row, act = (await desk.asked())[-1], desk.act
    desk.trouble.forbid("refund")
    still = await act.do(work_of(row, data=later.data))
    assert isinstance(still, Later)
    assert still.seconds > later.seconds
    desk.clock.moved += timedelta(minutes=5)
    done = await act.do(work_of(row, data=still.data))
    assert isinstance(done, Done)
    await act.record(work_of(row), done)
    assert (await desk.payment(id)).status is ChargeStatus.REFUNDED


async def test_a_refund_that_fails_later_may_be_asked_for_again_under_the_same_id(desk: Desk) -> None:
    id, refund_id = await desk.captured(), new_id()
    reference = (await desk.seen(id)).reference
    desk.gateway.charge_back(reference)  # of which we do not know yet
    for _ in range(2):
        await desk.ask(id, "refund", refundId=str(refund_id), reason="RETURN")
        await desk.work()
    refunds = (await desk.attempt(id)).refunds
    assert [(refund.id, refund.status) for refund in refunds] == [(refund_id, EntryStatus.FAILED)]
    assert await last(desk) is RefundFailed


async def test_a_void_of_an_attempt_of_which_nothing_is_known_finds_out_first(desk: Desk) -> None:
    desk.trouble.at("authorise", Fault.TIMEOUT_AFTER)
    id = await desk.begun()
    with pytest.raises(NotTold):
        await desk.work()
    await desk.ask(id, "void")
    _, row = await desk.asked()
    done = await desk.act.do(work_of(row))
    assert isinstance(done, Done)
    await desk.act.record(work_of(row), done)
    assert (await desk.attempt(id)).status is AttemptStatus.VOIDED
    assert await desk.work() == []
    assert (await desk.seen(id)).status is IntentStatus.VOIDED


async def test_a_void_waits_for_what_was_never_asked_for(desk: Desk) -> None:
    id = await desk.begun()
    await desk.ask(id, "void")
    _, row = await desk.asked()
    assert isinstance(await desk.act.do(work_of(row)), Later)


async def test_a_void_of_what_was_captured_meanwhile_records_the_capture(desk: Desk) -> None:
    id = await desk.authorised()
    attempt = await desk.attempt(id)
    await desk.ask(id, "void")
    assert attempt.reference is not None
    await capture_by_hand(desk, attempt.reference)
    await desk.work()
    assert (await desk.types())[-1] == "payment-captured"
    assert (await desk.payment(id)).status is ChargeStatus.CAPTURED


async def test_where_a_part_is_captured_the_rest_is_let_go(desk: Desk) -> None:
    id = await desk.captured(400)
    await desk.ask(id, "give-back", reason="CANCELLATION")
    await desk.work()
    assert {"attempt-voided", "payment-refunded"} <= set(await desk.types())
    assert (await desk.ask(id, "give-back", reason="CANCELLATION")).json()["code"] == "NOTHING_TO_GIVE_BACK"


async def test_what_cannot_be_voided_yet_is_tried_until_it_can(desk: Desk) -> None:
    id = await desk.authorised("pm_bankTransfer")
    await desk.ask(id, "give-back", reason="CANCELLATION")
    with pytest.raises(NotVoided):
        await desk.work()
    desk.gateway.receive((await desk.seen(id)).reference)
    await desk.work()
    assert (await desk.payment(id)).status is ChargeStatus.CAPTURED
    await desk.ask(id, "give-back", reason="CANCELLATION")
    await desk.work()
    assert (await desk.payment(id)).status is ChargeStatus.REFUNDED


@pytest.mark.parametrize("fault", TIMELY)
@pytest.mark.parametrize("call", ["authorise", "capture", "refund", "void"])
async def test_what_is_not_told_is_asked_again_and_done_once(desk: Desk, call: str, fault: Fault) -> None:
    desk.trouble.at(call, fault)
    id = await desk.begun()
    verbs = {"authorise": [], "void": ["void"], "capture": ["capture"], "refund": ["capture", "refund"]}[call]
    for verb in ["", *verbs]:
        if verb:
            await desk.ask(id, verb, **({"reason": "GOODWILL"} if verb == "refund" else {}))
        try:
            await desk.work()
        except NotTold:
            await desk.work()
    intent = await desk.seen(id)
    assert intent.captured == (eur(1000) if "capture" in verbs else eur(0))
    assert len(intent.refunds) == (call == "refund")
    assert await intents(desk, id) == 1
    assert await desk.work() == []


async def test_an_error_that_the_gateway_repeats_is_looked_behind(desk: Desk) -> None:
    desk.trouble.at("authorise", *[Fault.ERROR_KEPT] * 10)
    id, act = await desk.begun(), desk.act
    (row,) = await desk.asked()
    for attempt in (1, 2):
        with pytest.raises(NotTold):
            await act.do(work_of(row, attempt=attempt))
    await act.record(work_of(row), done(await act.do(work_of(row, attempt=3))))
    assert (await desk.payment(id)).status is ChargeStatus.AUTHORISED
    assert await intents(desk, id) == 1


async def test_what_the_gateway_did_not_do_and_only_repeats_an_error_for_is_asked_under_another_key(desk: Desk) -> None:
    id = await desk.authorised("pm_card_captureFail")
    await desk.ask(id, "capture")
    desk.trouble.at("capture", Fault.ERROR_KEPT)
    row, act = (await desk.asked())[-1], desk.act
    for attempt in (1, 2):
        with pytest.raises(NotTold):
            await act.do(work_of(row, attempt=attempt))
    later = await act.do(work_of(row, attempt=3))
    assert isinstance(later, Later)
    declined = done(await act.do(replace(work_of(row, attempt=4), data=later.data)))
    await act.record(work_of(row), declined)
    assert isinstance((await desk.events())[-1], CaptureFailed)


async def test_once_keys_are_forgotten_it_is_looked_up_before_it_is_sent_again(desk: Desk) -> None:
    id = await desk.authorised()
    await desk.ask(id, "capture", amount=eur(400).model_dump())
    desk.trouble.at("capture", Fault.TIMEOUT_AFTER)
    with pytest.raises(NotTold):
        await desk.work()
    desk.clock.moved += KEYS_LIVE + timedelta(minutes=1)
    desk.trouble.forbid("capture")
    await desk.work()
    assert (await desk.attempt(id)).captured == eur(400)


async def test_an_erased_customer_is_not_charged(desk: Desk) -> None:
    id = await desk.begun()
    await desk.keys.destroy((await desk.payment(id)).customer_id)
    await desk.work()
    declined = (await desk.events())[-1]
    assert isinstance(declined, PaymentDeclined)
    assert declined.code == "customer_erased"
    assert await intents(desk, id) == 0


async def test_a_rate_limit_is_waited_for(desk: Desk) -> None:
    await desk.begun()
    desk.trouble.at("authorise", Fault.RATE_LIMITED)
    (later,) = await desk.work()
    assert isinstance(later, Later)
    await desk.work()
    assert (await desk.types())[-1] == "payment-authorised"


async def test_what_a_webhook_told_first_is_not_asked_for(desk: Desk) -> None:
    id = await desk.begun()
    desk.trouble.at("authorise", Fault.TIMEOUT_AFTER)
    with pytest.raises(NotTold):
        await desk.work()
    for hook in desk.gateway.drain():
        assert (await desk.hear(hook)).status_code == 200
    assert await desk.work() == []
    assert (await desk.payment(id)).status is ChargeStatus.AUTHORISED


def done(said: object) -> Done:
    assert isinstance(said, Done)
    return said


async def intents(desk: Desk, id: UUID) -> int:
    found = await desk.gateway.find((await desk.payment(id)).id)
    assert isinstance(found, list)
    return len(found)


async def capture_by_hand(desk: Desk, reference: str) -> None:
    """Somebody at the gateway itself."""
    await desk.gateway.capture(Capture(new_id(), reference, CaptureId(new_id()), eur(1000)))
