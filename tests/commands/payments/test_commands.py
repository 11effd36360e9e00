"""Payments over HTTP: who may ask for what, and what is recorded of it before the gateway is asked."""

from __future__ import annotations

import pytest

from commands.payments.gateway import Succeeded
from commands.payments.messages import RecordAnswer, RecordIntent
from commands.payments.reports import Asked, Request
from domain.errors import Forbidden
from domain.ids import new_id, payment_of
from domain.payments.errors import PaymentTokenErased
from domain.payments.events import AttemptCreated, PaymentOpened, RefundRequested
from domain.payments.payment import ChargeStatus
from tests.commands.payments.desk import DECLINED, GOOD, OPERATOR, STAFF, Desk, eur, new_attempt


async def test_the_first_attempt_opens_the_payment_as_the_order_says(desk: Desk) -> None:
    order_id, attempt_id = desk.orders.place(), new_attempt()
    answer = await desk.post("/v1/payments", orderId=str(order_id), attemptId=str(attempt_id))
    id = payment_of(order_id)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/payments/{id}"
    opened, created = await desk.events()
    assert isinstance(opened, PaymentOpened)
    assert isinstance(created, AttemptCreated)
    assert (opened.order_id, opened.due) == (order_id, eur(1000))
    assert (created.attempt_id, created.amount, created.token) == (attempt_id, eur(1000), GOOD)


async def test_the_same_attempt_twice_begins_once_even_when_the_token_is_gone(desk: Desk) -> None:
    order_id, attempt_id = desk.orders.place(), str(new_attempt())
    await desk.post("/v1/payments", orderId=str(order_id), attemptId=attempt_id)
    desk.orders.placed[order_id] = PaymentTokenErased(order_id)
    again = await desk.post("/v1/payments", orderId=str(order_id), attemptId=attempt_id)
    assert (again.status_code, again.json()["version"]) == (201, 2)


async def test_why_an_order_cannot_be_paid_is_the_one_answer_to_a_key(desk: Desk) -> None:
    order_id = desk.orders.place()
    choice, desk.orders.placed[order_id] = desk.orders.placed[order_id], PaymentTokenErased(order_id)
    first = await desk.post("/v1/payments", key="k", orderId=str(order_id))
    desk.orders.placed[order_id] = choice
    again = await desk.post("/v1/payments", key="k", orderId=str(order_id))
    assert [r.json()["code"] for r in (first, again)] == ["PAYMENT_TOKEN_ERASED"] * 2
    assert await desk.events() == []


async def test_after_a_decline_another_attempt_may_begin_but_not_beside_an_active_one(desk: Desk) -> None:
    order_id = desk.orders.place(DECLINED)
    await desk.post("/v1/payments", orderId=str(order_id))
    beside = await desk.post("/v1/payments", orderId=str(order_id))
    assert beside.json()["code"] == "ATTEMPT_ACTIVE"
    await desk.work()
    assert (await desk.post("/v1/payments", orderId=str(order_id))).status_code == 201


async def test_a_payment_is_looked_at_by_its_customer_and_by_the_shop(desk: Desk) -> None:
    id = await desk.authorised()
    mine, theirs, shops = [await desk.look(id, by) for by in ("ann", "bob", "staff")]
    assert (mine.status_code, theirs.status_code, shops.status_code) == (200, 404, 200)
    assert mine.json() == {"id": str(id), "version": 3, "status": "AUTHORISED"}


@pytest.mark.parametrize(
    "verb, by, status",
    [
        ("capture", "staff", 403),
        ("capture", "operator", 202),
        ("void", "ann", 403),
        ("void", "operator", 202),
        ("give-back", "staff", 403),
        ("give-back", "operator", 202),
        ("refund", "ann", 403),
    ],
)
async def test_who_may_ask(desk: Desk, verb: str, by: str, status: int) -> None:
    id = await desk.authorised()
    body = {"reason": "GOODWILL"} if verb in ("refund", "give-back") else {}
    assert (await desk.ask(id, verb, by=by, **body)).status_code == status


async def test_a_capture_of_a_part_and_of_the_rest(desk: Desk) -> None:
    id = await desk.captured(400)
    assert (await desk.payment(id)).status is ChargeStatus.PARTIALLY_CAPTURED
    assert (await desk.ask(id, "capture", amount=eur(601).model_dump())).json()["code"] == "MORE_THAN_AUTHORISED"
    await desk.ask(id, "capture")
    await desk.work()
    assert (await desk.payment(id)).status is ChargeStatus.CAPTURED


async def test_staff_refund_and_their_words_are_sealed_as_theirs(desk: Desk) -> None:
    id = await desk.captured()
    answer = await desk.ask(id, "refund", by="staff", amount=eur(300).model_dump(), reason="RETURN", note="The lid")
    assert answer.status_code == 202
    asked = (await desk.events())[-1]
    assert isinstance(asked, RefundRequested)
    assert (asked.amount, asked.asked_by, asked.note) == (eur(300), STAFF.id, "The lid")
    async with desk.pool.connection() as connection:
        query = "SELECT count(*) FROM payments.stored_events WHERE position('The lid'::bytea IN state) > 0"
        assert await (await connection.execute(query)).fetchone() == (0,)


async def test_the_same_refund_twice_is_one(desk: Desk) -> None:
    id, refund_id = await desk.captured(), str(new_id())
    for _ in range(2):
        answer = await desk.ask(id, "refund", refundId=refund_id, amount=eur(300).model_dump(), reason="RETURN")
        assert answer.status_code == 202
    await desk.work()
    assert (await desk.payment(id)).refunded == eur(300)


async def test_giving_back_what_was_never_paid_is_refused_for_good(desk: Desk) -> None:
    answer = await desk.ask(payment_of(desk.orders.place()), "give-back", reason="CANCELLATION")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOTHING_TO_GIVE_BACK")


async def test_money_under_way_is_not_the_answer_to_a_key_for_ever(desk: Desk) -> None:
    id = await desk.captured()
    assert (await desk.ask(id, "give-back", reason="CANCELLATION")).status_code == 202
    busy = await desk.ask(id, "give-back", key="k", reason="CANCELLATION")
    assert (busy.json()["code"], busy.json()["retryable"]) == ("MONEY_UNDER_WAY", True)
    await desk.work()
    later = await desk.ask(id, "give-back", key="k", reason="CANCELLATION")
    assert later.json()["code"] == "NOTHING_TO_GIVE_BACK"
    assert (await desk.payment(id)).status is ChargeStatus.REFUNDED


async def test_only_processes_of_ours_record_what_the_gateway_said(desk: Desk) -> None:
    id = await desk.authorised()
    intent = await desk.seen(id)
    request = Request(Asked.VOID, (await desk.attempt(id)).id)
    for command in (RecordIntent(intent=intent), RecordAnswer(request=request, answer=Succeeded(intent))):
        with pytest.raises(Forbidden):
            (await desk.tell(command, id, by=OPERATOR)).result()


async def test_what_is_known_is_not_recorded_again(desk: Desk) -> None:
    id = await desk.captured(400)
    before = await desk.types()
    await desk.tell(RecordIntent(intent=await desk.seen(id)), id)
    assert await desk.types() == before
