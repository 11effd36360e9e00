"""Webhooks over HTTP: kept once with what they tell, in whatever order they come; what is refused says why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commands.payments.gateway import Hook, HookKind
from domain.ids import PaymentId, new_id
from domain.payments.events import OutcomeUnmatched
from domain.payments.payment import ChargeStatus
from domain.payments.webhook import WebhookReceived
from infra.gateway.faults import Fault
from tests.commands.payments.desk import REDIRECT, Desk, eur


async def happened(desk: Desk) -> list[Hook]:
    return desk.gateway.drain()


async def test_what_a_webhook_tells_is_recorded_with_it_in_one_append(desk: Desk) -> None:
    id = await desk.authorised(REDIRECT)
    await happened(desk)
    desk.gateway.act((await desk.seen(id)).reference)
    (hook,) = await happened(desk)
    answer = await desk.hear(hook)
    assert (answer.status_code, answer.json()) == (200, {})
    received, _ = (await desk.events())[-2:]
    assert isinstance(received, WebhookReceived)
    assert (received.hook_id, received.matched) == (hook.id, id)
    assert (await desk.types())[-1] == "payment-authorised"
    assert desk.counted == {"received": 1}


async def test_the_same_webhook_again_changes_nothing(desk: Desk) -> None:
    id = await desk.authorised(REDIRECT)
    desk.gateway.act((await desk.seen(id)).reference)
    hook = (await happened(desk))[-1]
    for _ in range(3):
        assert (await desk.hear(hook)).status_code == 200
    assert (await desk.types()).count("webhook-received") == 1
    assert desk.counted == {"received": 1, "duplicate": 2}


async def test_webhooks_in_the_wrong_order_come_to_the_same(desk: Desk) -> None:
    id = await desk.captured(400)
    desk.gateway.refund_directly((await desk.seen(id)).reference, eur(100))
    hooks = await happened(desk)
    for hook in reversed(hooks):
        await desk.hear(hook)
    payment = await desk.payment(id)
    assert (payment.captured, payment.refunded) == (eur(400), eur(100))
    assert payment.status is ChargeStatus.PARTIALLY_REFUNDED
    assert desk.counted["received"] == len(hooks)


async def test_a_charge_back_is_seen(desk: Desk) -> None:
    id = await desk.captured()
    desk.gateway.charge_back((await desk.seen(id)).reference)
    await desk.hear((await happened(desk))[-1])
    assert (await desk.payment(id)).status is ChargeStatus.CHARGED_BACK


async def test_a_webhook_about_no_payment_of_ours_is_kept_as_such(desk: Desk) -> None:
    await desk.authorised()
    (hook,) = await happened(desk)
    assert hook.intent is not None
    for number, payment_id in enumerate((None, PaymentId(new_id()))):
        strange = changed(hook, f"evt_strange_{number}", payment_id=payment_id, attempt_id=None)
        assert (await desk.hear(strange)).status_code == 200
        received = (await desk.events())[-1]
        assert isinstance(received, WebhookReceived)
        assert received.matched is None
    assert desk.counted == {"unmatched": 2}


async def test_a_webhook_about_no_attempt_of_its_payment_is_kept_with_the_payment(desk: Desk) -> None:
    id = await desk.authorised()
    (hook,) = await happened(desk)
    await desk.hear(changed(hook, "evt_strange", reference="pi_strange", attempt_id=new_id()))
    assert isinstance((await desk.events())[-1], OutcomeUnmatched)
    assert (await desk.payment(id)).unmatched == 1


async def test_what_a_webhook_does_not_hold_is_asked_for(desk: Desk) -> None:
    id = await desk.authorised(REDIRECT)
    desk.gateway.act((await desk.seen(id)).reference)
    hook = (await happened(desk))[-1]
    bare = Hook(hook.id, HookKind.REFUND, hook.type, hook.at, hook.reference, None)
    desk.trouble.at("get", Fault.TIMEOUT_BEFORE)
    silent = await desk.hear(bare)
    assert (silent.status_code, silent.json()["code"], silent.headers["retry-after"]) == (503, "GATEWAY_SILENT", "10")
    assert (await desk.hear(bare)).status_code == 200
    assert (await desk.payment(id)).status is ChargeStatus.AUTHORISED


async def test_what_concerns_no_payment_is_not_kept(desk: Desk) -> None:
    other = Hook("evt_other", HookKind.OTHER, "customer.created", desk.clock(), None, None)
    assert (await desk.hear(other)).status_code == 200
    assert await desk.events() == []
    assert desk.counted == {"other": 1}


async def test_what_is_not_well_signed_is_refused(desk: Desk) -> None:
    await desk.authorised()
    (hook,) = await happened(desk)
    body, headers = desk.gateway.post(hook)
    forged = await desk.send(body + b" ", headers)
    unsigned = await desk.send(body, {})
    desk.clock.moved += timedelta(hours=1)
    old = await desk.send(body, headers)
    for answer in (forged, unsigned, old):
        assert answer.headers["content-type"] == "application/problem+json"
    assert [(a.status_code, a.json()["code"]) for a in (forged, unsigned, old)] == [
        (400, "WEBHOOK_NOT_SIGNED"),
        (400, "WEBHOOK_NOT_SIGNED"),
        (400, "WEBHOOK_TOO_OLD"),
    ]
    assert desk.counted == {"refused_signature": 2, "refused_too_old": 1}
    assert "webhook-received" not in await desk.types()


async def test_what_is_well_signed_but_no_webhook_is_refused(desk: Desk) -> None:
    _, headers = desk.gateway.post(Hook("never seen", HookKind.INTENT, "x", desk.clock(), None, None))
    body = json.dumps({"id": "never seen", "type": "x"}).encode()
    desk.gateway._posted.clear()
    answer = await desk.send(body, headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "WEBHOOK_MALFORMED")


@pytest.mark.parametrize("path", ["/v1/webhooks/nobody", "/v1/webhooks/", "/v1/webhooks/memory/more"])
async def test_other_gateways_are_not_known(desk: Desk, path: str) -> None:
    answer = await desk.client.post(path, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert not desk.counted


async def test_only_posts_are_taken(desk: Desk) -> None:
    answer = await desk.client.get("/v1/webhooks/memory")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_bodies_are_bounded(desk: Desk) -> None:
    answer = await desk.client.post("/v1/webhooks/memory", content=b" " * 3_000)
    assert (answer.status_code, answer.json()["facts"]) == (413, {"maximum": 2_000})


def changed(hook: Hook, id: str, *, reference: str | None = None, **changes: Any) -> Hook:
    """As another webhook."""
    assert hook.intent is not None
    intent = replace(hook.intent, reference=reference or hook.intent.reference, **changes)
    return replace(hook, id=id, intent=intent, reference=intent.reference)
