"""What arrives as a webhook: whose it is, when it was signed, whether it is one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from commands.payments.gateway import Authorise, Hook, HookKind, HookRefused, IntentStatus
from domain.ids import AttemptId, OrderId, payment_of
from domain.money import Money
from domain.value import PaymentMethod
from infra.gateway import signature
from infra.gateway.memory import MemoryGateway
from infra.gateway.stripe import StripeGateway

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW = "whsec_the_old_one_of_two", "whsec_the_new_one_of_two"
PAYMENT: Final = uuid4()
INTENT: Final[dict[str, Any]] = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "requires_capture",
    "amount": 10_000,
    "amount_received": 0,
    "amount_capturable": 10_000,
    "currency": "eur",
    "metadata": {"payment_id": str(PAYMENT)},
    "latest_charge": "ch_1",
}


@pytest.fixture
def gateway():
    return StripeGateway("sk_test", webhook_secrets=[NEW, OLD], return_url="https://shop.example")


def event(thing: object = INTENT, **changes: object) -> bytes:
    whole = {"id": "evt_1", "type": "payment_intent.amount_capturable_updated", "created": int(NOW.timestamp())}
    return json.dumps({**whole, "data": {"object": thing}, **changes}).encode()


def signed(body: bytes, *secrets: str, at: datetime = NOW) -> dict[bytes, bytes]:
    return {b"stripe-signature": signature.sign(body, at, *(secrets or [NEW])).encode()}


def refusal(gateway: StripeGateway, body: bytes, headers: dict[bytes, bytes], now: datetime = NOW) -> str:
    with pytest.raises(HookRefused) as refused:
        gateway.parse(body, headers, now)
    assert str(refused.value)
    return refused.value.code


def test_an_intent_is_read_as_it_was_then(gateway):
    hook = gateway.parse(event(), signed(event()), NOW)
    assert (hook.id, hook.kind, hook.at, hook.reference) == ("evt_1", HookKind.INTENT, NOW, "pi_1")
    assert hook.intent is not None
    assert (hook.intent.status, hook.intent.payment_id, hook.intent.at) == (IntentStatus.AUTHORISED, PAYMENT, NOW)
    assert hook.intent.attempt_id is None


@pytest.mark.parametrize(
    "type,thing,kind",
    [
        ("refund.failed", {"object": "refund", "payment_intent": "pi_1"}, HookKind.REFUND),
        ("charge.refunded", {"object": "charge", "payment_intent": "pi_1"}, HookKind.REFUND),
        ("charge.captured", {"object": "charge", "payment_intent": "pi_1"}, HookKind.INTENT),
        ("charge.dispute.created", {"object": "dispute", "payment_intent": {"id": "pi_1"}}, HookKind.CHARGE_BACK),
    ],
)
def test_what_concerns_an_intent_names_it(gateway, type, thing, kind):
    body = event(thing, type=type)
    assert gateway.parse(body, signed(body), NOW) == Hook("evt_1", kind, type, NOW, "pi_1", None)


@pytest.mark.parametrize("thing", [{"object": "payout", "id": "po_1"}, {"object": "charge", "payment_intent": None}])
def test_what_concerns_no_intent_is_something_else(gateway, thing):
    body = event(thing, type="payout.paid")
    hook = gateway.parse(body, signed(body), NOW)
    assert (hook.kind, hook.reference, hook.intent) == (HookKind.OTHER, None, None)


@pytest.mark.parametrize("secrets", [(OLD,), (NEW,), (OLD, NEW), ("whsec_somebody_else", OLD)])
def test_while_secrets_are_rotated_either_is_good(gateway, secrets):
    assert gateway.parse(event(), signed(event(), *secrets), NOW).id == "evt_1"


def test_a_header_may_be_spelled_as_in_the_manual(gateway):
    headers = {b"Stripe-Signature": signed(event())[b"stripe-signature"]}
    assert gateway.parse(event(), headers, NOW).id == "evt_1"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 300])
def test_a_webhook_is_good_for_five_minutes(gateway, seconds):
    assert gateway.parse(event(), signed(event()), NOW + timedelta(seconds=seconds)).id == "evt_1"


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_an_old_webhook_and_one_of_the_future_are_refused(gateway, seconds):
    assert refusal(gateway, event(), signed(event()), NOW + timedelta(seconds=seconds)) == "TOO_OLD"


def test_a_webhook_by_another_secret_is_refused_and_a_changed_one_too(gateway):
    assert refusal(gateway, event(), signed(event(), "whsec_somebody_else")) == "SIGNATURE"
    assert refusal(gateway, event(id="evt_2"), signed(event())) == "SIGNATURE"


def test_a_signature_of_another_time_is_refused(gateway):
    """The time is signed too: an old message cannot be made young."""
    header = signed(event())[b"stripe-signature"]
    young = header.replace(str(int(NOW.timestamp())).encode(), str(int(NOW.timestamp()) + 600).encode())
    assert refusal(gateway, event(), {b"stripe-signature": young}, NOW + timedelta(seconds=600)) == "SIGNATURE"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"t=1",
        b"v1=00",
        b"t=,v1=00",
        b"t=x,v1=00",
        b"t=-5,v1=00",
        b"t=1,v0=00",
        "t=1,v1=é".encode(),
        b"t=\xb2,v1=00",
        b"t=9999999999999999999999,v1=00",
        b"=" * 99,
    ],
)
def test_a_header_that_is_no_signature_is_refused(gateway, header):
    assert refusal(gateway, event(), {b"stripe-signature": header}) == "SIGNATURE"


def test_without_a_header_it_is_refused(gateway):
    assert refusal(gateway, event(), {}) == "SIGNATURE"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        event("pi_1"),
        event(None),
        event(created="now"),
        event(created=10**30),
        event(id=7),
        event(type=None),
        event({**INTENT, "status": "of_another_release"}),
        event({**INTENT, "currency": "xxx"}),
        event({**INTENT, "amount": -1}),
        event({"object": "payment_intent", "id": "pi_1"}),
    ],
)
def test_a_body_that_is_no_event_is_refused(gateway, body):
    assert refusal(gateway, body, signed(body)) == "MALFORMED"


async def test_the_gateway_in_memory_signs_and_reads_its_own():
    gateway = MemoryGateway(lambda: NOW)
    order = OrderId(uuid4())
    amount = Money(amount=100, currency="EUR")
    request = Authorise(
        uuid4(), payment_of(order), order, AttemptId(uuid4()), PaymentMethod.CREDIT_CARD, amount, "pm_card_visa"
    )
    await gateway.authorise(request)
    (hook,) = gateway.drain()
    assert gateway.drain() == []
    body, headers = gateway.post(hook)
    assert gateway.parse(body, headers, NOW) == hook
    assert hook.intent is not None
    assert hook.intent.attempt_id == request.attempt_id
    with pytest.raises(HookRefused, match="more than 300 s"):
        gateway.parse(body, headers, NOW + timedelta(seconds=301))
    with pytest.raises(HookRefused, match="no signature"):
        gateway.parse(body + b" ", headers, NOW)
