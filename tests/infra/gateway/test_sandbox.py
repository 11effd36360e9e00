"""What the sandbox does beyond what the contract asks of every gateway: Stripe's manners, webhooks, its own memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from commands.payments.gateway import Capture, HookKind, IntentStatus, Void
from domain.ids import CaptureId
from infra.gateway.faults import Fault
from infra.gateway.methods import HOLD
from infra.gateway.sandbox import SandboxGateway
from infra.gateway.sandbox.journal import NAME
from infra.gateway.sandbox.misfortune import Rule
from tests.contracts.gateways import AUTHORISED, SECRET, SandboxSide, adapted
from tests.contracts.test_gateway import authorise, capture, captured, done, euros, needed, refund, seen
from tests.eventually import until
from tests.infra.gateway.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def sandbox(tmp_path: Path, receiver: Receiver) -> AsyncIterator[SandboxGateway]:
    async with SandboxGateway(tmp_path, secret=SECRET, webhook_url=receiver.address) as sandbox:
        yield sandbox


@pytest.fixture
async def side(sandbox: SandboxGateway) -> AsyncIterator[SandboxSide]:
    async with adapted(sandbox) as side:
        yield side


@pytest.fixture
async def client(sandbox: SandboxGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.address, timeout=10, headers=AUTHORISED) as client:
        yield client


CARD = {"amount": "100", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}


async def error(client: httpx.AsyncClient, path: str, status: int, **data: str) -> dict[str, Any]:
    answer = await client.post(path, data=data)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()["error"]
    return told


# Stripe's manners.


async def test_without_a_key_nothing_is_answered(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/events", headers={"Authorization": ""})).status_code == 401


async def test_what_it_does_not_speak_is_refused_by_name(client: httpx.AsyncClient) -> None:
    told = await error(client, "/v1/payment_intents", 400, **CARD, off_session="true")
    assert (told["code"], told["param"]) == ("parameter_unknown", "off_session")
    assert "POST: /v1/payouts" in (await error(client, "/v1/payouts", 404))["message"]
    searched = await client.get("/v1/payment_intents/search", params={"query": "amount>5"})
    assert searched.json()["error"]["param"] == "query"


@pytest.mark.parametrize(
    "changed,param",
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "1.5"}, "amount"),
        ({"amount": "100000000"}, "amount"),
        ({"currency": "xxx"}, "currency"),
        ({"capture_method": "sometimes"}, "capture_method"),
        ({"amount": "1234", "currency": "kwd"}, "amount"),
        ({"metadata[" + "n" * 41 + "]": "1"}, "metadata"),
    ],
)
async def test_wrong_parameters_are_named(client: httpx.AsyncClient, changed: dict[str, str], param: str) -> None:
    assert (await error(client, "/v1/payment_intents", 400, **{**CARD, **changed}))["param"] == param


async def test_a_key_is_not_spent_on_wrong_parameters(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    assert (await client.post("/v1/payment_intents", data={**CARD, "amount": "0"}, headers=key)).status_code == 400
    assert (await client.post("/v1/payment_intents", data=CARD, headers=key)).status_code == 200


async def test_a_key_replays_its_first_answer_and_refuses_another_request(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/payment_intents", data=CARD, headers=key)
    await client.post("/v1/refunds", data={"payment_intent": first.json()["id"]})
    again = await client.post("/v1/payment_intents", data=CARD, headers=key)
    assert again.json() == first.json()
    assert (again.headers["idempotent-replayed"], "idempotent-replayed" in first.headers) == ("true", False)
    other = await client.post("/v1/payment_intents", data={**CARD, "amount": "101"}, headers=key)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


async def test_a_decline_is_replayed_too(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    declined = {**CARD, "payment_method": "pm_card_chargeDeclinedLostCard"}
    answers = [await client.post("/v1/payment_intents", data=declined, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [402, 402]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["error"]["advice_code"] == "do_not_try_again"


async def test_one_key_at_the_same_time_makes_one_intent(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    answers = await asyncio.gather(*(client.post("/v1/payment_intents", data=CARD, headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len((await client.get("/v1/payment_intents")).json()["data"]) == 1


async def test_lists_come_in_pages_newest_first(client: httpx.AsyncClient) -> None:
    made = [(await client.post("/v1/payment_intents", data=CARD)).json()["id"] for _ in range(5)]
    first = (await client.get("/v1/payment_intents", params={"limit": 3})).json()
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:1:-1], True)
    rest = (await client.get("/v1/payment_intents", params={"limit": 3, "starting_after": made[2]})).json()
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (made[1::-1], False)


async def test_a_customer_comes_back_to_the_shop_from_the_page(client: httpx.AsyncClient) -> None:
    data = {**CARD, "payment_method": "pm_wallet", "return_url": "https://shop.example/paid?a=1"}
    intent = (await client.post("/v1/payment_intents", data=data)).json()
    url = intent["next_action"]["redirect_to_url"]["url"]
    assert "Pay" in (await client.get(url)).text
    answer = await client.post(url, data={"outcome": "succeeded"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"https://shop.example/paid?a=1&payment_intent={intent['id']}&")
    assert (await client.get(f"/v1/payment_intents/{intent['id']}")).json()["status"] == "succeeded"
    assert (await client.post(url, data={"outcome": "succeeded"})).status_code == 400


async def test_a_dispute_that_is_won_gives_the_money_back(side: SandboxSide) -> None:
    reference = await captured(side)
    await side.charge_back(reference)
    assert (await seen(side, reference)).charged_back == euros(10_000)
    await side._post(f"/_intents/{reference}/dispute", status="won")
    assert (await seen(side, reference)).charged_back is None


async def test_what_cannot_be_captured_in_parts_is_let_go_at_the_first_one(side: SandboxSide) -> None:
    """Wallets; cards of an account without multicapture. The intent says how much is left: nothing."""
    intent = needed(await side.gateway.authorise(authorise("pm_wallet")))
    await side.act(intent.reference)
    taken = done(await side.gateway.capture(capture(intent.reference, 4_000)))
    assert (taken.captured, taken.authorised) == (euros(4_000), euros(4_000))


async def test_pages_of_refunds_are_read_to_the_end(side: SandboxSide) -> None:
    reference = await captured(side)
    for _ in range(12):
        await side.gateway.refund(refund(reference, 10))
    assert len((await seen(side, reference)).refunds) == 12


async def test_a_wrong_order_to_the_sandbox_is_told_what_is_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/_faults", json={"rules": [{"fault": "bad_luck"}]})
    assert answer.status_code == 400
    assert "rules.0.fault" in answer.json()["error"]["message"]
    assert (await client.post("/_clock", json={"seconds": -1})).status_code == 400


# Faults by rules.


async def test_a_rule_is_for_one_route_and_so_many_times(client: httpx.AsyncClient) -> None:
    await client.post("/_faults", json={"rules": [{"route": "POST /v1/refunds", "fault": "error_before", "times": 2}]})
    assert (await client.post("/v1/payment_intents", data=CARD)).status_code == 200
    statuses = [(await client.post("/v1/refunds", data={"payment_intent": "pi"})).status_code for _ in range(3)]
    assert statuses == [500, 500, 404]
    assert (await client.get("/_faults")).json()["rules"][0]["left"] == 0


async def test_a_probability_with_a_seed_fails_the_same_ones_each_time(client: httpx.AsyncClient) -> None:
    async def statuses() -> list[int]:
        rule = {"route": "GET /v1/events", "fault": "rate_limited", "probability": 0.3, "seed": 7}
        await client.delete("/_faults")
        await client.post("/_faults", json={"rules": [rule]})
        return [(await client.get("/v1/events")).status_code for _ in range(40)]

    first = await statuses()
    assert first == await statuses()
    assert 4 <= first.count(429) <= 22


async def test_a_delay_only_takes_time(client: httpx.AsyncClient) -> None:
    rule = {"route": "GET /v1/events", "fault": "delay", "seconds": 0.3, "times": 1}
    await client.post("/_faults", json={"rules": [rule]})
    assert (await client.get("/v1/events")).elapsed >= timedelta(seconds=0.3)


async def test_a_broken_connection_is_one(client: httpx.AsyncClient) -> None:
    await client.post("/_faults", json={"rules": [{"fault": "cut", "times": 1}]})
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/v1/payment_intents", data=CARD)
    assert len((await client.get("/v1/payment_intents")).json()["data"]) == 1


async def test_a_connection_broken_off_on_purpose_is_no_error_of_the_server(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.post("/_faults", json={"rules": [{"fault": "cut", "times": 1}]})
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/v1/events")
    await client.get("/_clock")
    assert [record.message for record in caplog.records if record.name == "uvicorn.error"] == []


# Webhooks.


async def test_webhooks_are_signed_and_read_by_the_adapter(side: SandboxSide, receiver: Receiver) -> None:
    request = authorise()
    intent = done(await side.gateway.authorise(request))
    await side.gateway.capture(capture(intent.reference, 10_000))
    await side.gateway.refund(refund(intent.reference, 1_000))
    await side.charge_back(intent.reference)
    await until(lambda: len(receiver.taken) >= 8)
    hooks = [side.gateway.parse(body, headers, datetime.now(UTC)) for body, headers in receiver.taken]
    assert {hook.reference for hook in hooks} == {intent.reference}
    assert {hook.kind for hook in hooks} == {HookKind.INTENT, HookKind.REFUND, HookKind.CHARGE_BACK}
    statuses = [hook.intent.status for hook in hooks if hook.intent]
    assert statuses == [IntentStatus.ACTION_REQUIRED, IntentStatus.AUTHORISED, IntentStatus.CAPTURED]
    assert receiver.types() == [
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.captured",
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
    ]


async def test_every_event_can_be_looked_up(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await client.post("/v1/payment_intents", data=CARD)
    events = (await client.get("/v1/events")).json()["data"]
    await until(lambda: [event["id"] for event in reversed(events)] == [event["id"] for event in receiver.events()])


async def test_an_expiry_is_told_without_being_asked_for(side: SandboxSide, receiver: Receiver) -> None:
    await side.gateway.authorise(authorise())
    await side.advance(HOLD)
    await until(lambda: "payment_intent.canceled" in receiver.types())


async def webhooks_fail(client: httpx.AsyncClient, fault: Fault, seconds: float = 60) -> None:
    rule = {"route": "WEBHOOK payment_intent.created", "fault": fault, "seconds": seconds}
    await client.post("/_faults", json={"rules": [rule]})
    assert (await client.post("/v1/payment_intents", data={**CARD, "capture_method": "manual"})).status_code == 200


OTHERS = ["payment_intent.amount_capturable_updated", "charge.succeeded"]


async def test_a_webhook_can_come_twice(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await webhooks_fail(client, Fault.DUPLICATE)
    await until(lambda: len(receiver.taken) == 4)
    assert sorted(receiver.types()) == sorted(["payment_intent.created"] * 2 + OTHERS)
    assert len({event["id"] for event in receiver.events()}) == 3


async def test_a_webhook_can_be_late(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await webhooks_fail(client, Fault.LATE, 0.5)
    await until(lambda: len(receiver.taken) == 3)
    assert receiver.types() == [*OTHERS, "payment_intent.created"]


async def test_a_webhook_can_come_after_the_next_one(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await webhooks_fail(client, Fault.REORDERED)
    await until(lambda: len(receiver.taken) == 3)
    assert receiver.types().index("payment_intent.created") == 1 + receiver.types().index(OTHERS[0])


async def test_a_webhook_can_be_lost(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await webhooks_fail(client, Fault.LOST)
    await until(lambda: len(receiver.taken) == 2)
    assert receiver.types() == OTHERS
    await until(lambda: nothing_unsent(client))


async def nothing_unsent(client: httpx.AsyncClient) -> bool:
    return bool((await client.get("/_webhooks")).json()["unsent"] == 0)


async def test_a_webhook_that_is_not_taken_is_sent_again(client: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.refusing = True
    await client.post("/v1/payment_intents", data=CARD)
    await until(lambda: receiver.refused > 0)
    receiver.refusing = False
    await until(lambda: len(receiver.taken) == 3)
    assert len({event["id"] for event in receiver.events()}) == 3


# Its memory.


async def test_a_restart_forgets_nothing(tmp_path: Path, receiver: Receiver) -> None:
    first = authorise()
    async with SandboxGateway(tmp_path, secret=SECRET) as sandbox, adapted(sandbox) as side:
        reference = done(await side.gateway.authorise(first)).reference
        await side.gateway.capture(capture(reference, 3_000))
        await side.gateway.refund(refund(reference, 500))
        await side.advance(timedelta(hours=20))
        before = await seen(side, reference)
    async with SandboxGateway(tmp_path, secret=SECRET, webhook_url=receiver.address) as sandbox:
        await until(lambda: len(receiver.taken) == 7)  # what nobody had taken before
        async with adapted(sandbox) as side:
            after = await seen(side, reference)
            assert (after.captured, after.refunds, after.expires_at) == (
                before.captured,
                before.refunds,
                before.expires_at,
            )
            assert before.at <= after.at < before.at + timedelta(hours=1)
            assert done(await side.gateway.authorise(first)).reference == reference
            await side.advance(HOLD)
            assert (await seen(side, reference)).captured == euros(3_000)
            late = Capture(uuid4(), reference, CaptureId(uuid4()), euros(1))
            assert type(await side.gateway.capture(late)).__name__ == "Invalid"


async def test_a_stopped_sandbox_comes_back_at_the_same_address(tmp_path: Path) -> None:
    sandbox = SandboxGateway(tmp_path, secret=SECRET)
    async with sandbox:
        before = sandbox.address
    async with sandbox, adapted(sandbox) as side:
        assert sandbox.address == before
        assert await side.gateway.get("pi_none") is None


async def test_a_line_that_a_crash_tore_is_left_out(tmp_path: Path) -> None:
    async with SandboxGateway(tmp_path, secret=SECRET) as sandbox, adapted(sandbox) as side:
        reference = done(await side.gateway.authorise(authorise())).reference
    path = tmp_path / NAME
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"objects":{"pi_torn":{"id":"pi_to')
    async with SandboxGateway(tmp_path, secret=SECRET) as sandbox, adapted(sandbox) as side:
        assert (await seen(side, reference)).status is IntentStatus.AUTHORISED
        assert done(await side.gateway.void(Void(uuid4(), reference))).status is IntentStatus.VOIDED
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


async def test_faults_can_be_there_from_the_start(tmp_path: Path) -> None:
    faults = [Rule(route="GET /v1/*", fault=Fault.RATE_LIMITED, times=1)]
    async with SandboxGateway(tmp_path, secret=SECRET, faults=faults) as sandbox, adapted(sandbox) as side:
        assert type(await side.gateway.get("pi_none")).__name__ == "RateLimited"
        assert await side.gateway.get("pi_none") is None
