"""A payment through the whole system in one process: order, attempt, webhooks, capture, refund; what is seen of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from commands.payments.gateway import Authorise
from domain.actor import Actor, Role
from domain.ids import AttemptId, OrderId, PaymentId, new_id, payment_of
from domain.money import Money
from domain.value import PaymentMethod
from infra.cli.verifying_payments import verify_payments
from infra.duties import Duty
from infra.gateway.memory import MemoryGateway
from infra.settings import Settings
from tests.e2e.buggy_shop import ADDRESS, Shop, opened
from tests.eventually import until

WITHOUT_SAGAS: Final = frozenset({Duty.COMMANDS, Duty.READS, Duty.PROJECTIONS, Duty.TODO})
"""What sagas ask for is asked for here."""


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def shop(database: str, gateway: MemoryGateway) -> AsyncIterator[Shop]:
    async with opened(database, gateway, WITHOUT_SAGAS) as shop:
        yield shop


async def ordered(shop: Shop, token: str = "pm_card_visa") -> str:
    id, wanted = str(new_id()), [{"variantId": shop.variant, "quantity": 1}]
    quote = await shop.post("/v1/quotes", {"lines": wanted, "address": ADDRESS, "currency": "EUR"})
    payment = {"method": "CREDIT_CARD", "token": token}
    order = {"id": id, "customerId": shop.customer, "lines": wanted, "address": ADDRESS, "payment": payment}
    await shop.post("/v1/orders", order | {"quotedTotal": quote["total"]})
    return id


async def comes_to(shop: Shop, payment: UUID, status: str) -> None:
    async def there() -> bool:
        answer = await shop.http.get(f"/v1/payments/{payment}", headers=shop.signed_in())
        return bool(answer.json()["status"] == status)

    await until(there)


async def paid(shop: Shop) -> UUID:
    order = await ordered(shop)
    payment = payment_of(OrderId(UUID(order)))
    assert (await shop.post("/v1/payments", {"orderId": order}))["id"] == str(payment)
    await comes_to(shop, payment, "AUTHORISED")
    await shop.post(f"/v1/payments/{payment}/capture", {})
    await comes_to(shop, payment, "CAPTURED")
    return payment


async def hear(shop: Shop, gateway: MemoryGateway) -> None:
    for hook in gateway.drain():
        body, headers = gateway.post(hook)
        sent = {key.decode(): value.decode() for key, value in headers.items()}
        answer = await shop.http.post("/v1/webhooks/memory", content=body, headers=sent)
        assert answer.status_code == 200, answer.text


async def test_an_order_is_paid_and_its_money_is_given_back(shop: Shop, gateway: MemoryGateway) -> None:
    payment = await paid(shop)
    await hear(shop, gateway)
    customer = Actor(UUID(shop.customer), frozenset({Role.CUSTOMER}))
    mine = {"authorization": f"Bearer {shop.system.tokens.access(customer)[0]}"}
    assert (await shop.http.get(f"/v1/payments/{payment}", headers=mine)).status_code == 200
    await shop.post(f"/v1/payments/{payment}/give-back", {"reason": "CANCELLATION", "note": "It rained"})
    await comes_to(shop, payment, "REFUNDED")
    again = await shop.http.post(
        f"/v1/payments/{payment}/give-back",
        json={"reason": "CANCELLATION"},
        headers=shop.signed_in() | {"idempotency-key": uuid4().hex},
    )
    assert again.json()["code"] == "NOTHING_TO_GIVE_BACK"
    metrics = (await shop.http.get("/metrics")).text
    assert 'chobo_webhooks_total{gateway="memory",outcome="received"} 2.0' in metrics


async def test_payments_at_the_command_line(shop: Shop, gateway: MemoryGateway) -> None:
    payment = await paid(shop)
    gateway.drain()
    strange = MemoryGateway()
    strange._number = 100
    await pay_elsewhere(strange)
    gateway._attempts |= strange._attempts
    for hook in strange.drain():
        body, headers = gateway.post(hook)
        sent = {key.decode(): value.decode() for key, value in headers.items()}
        assert (await shop.http.post("/v1/webhooks/memory", content=body, headers=sent)).status_code == 200

    async def seen() -> bool:
        listed, unmatched = await shop.said("payments", "list"), await shop.said("payments", "unmatched")
        return bool(listed and listed[0]["status"] == "CAPTURED" and unmatched)

    await until(seen)
    (row,) = await shop.said("payments", "list", "--status", "CAPTURED", "--customer", shop.customer)
    assert (row["id"], row["paid"]) == (str(payment), row["due"])
    assert await shop.said("payments", "list", "--status", "NONE") == []
    (stranger,) = await shop.said("payments", "unmatched")
    assert (stranger["from"], stranger["reference"]) == ("memory", "pi_101")
    for id in (payment, row["order_id"]):
        page = (await shop.chobo("payments", "show", str(id))).stdout
        for told in ("ledger", "AUTHORISED", "CAPTURED", "timeline", "attempt-created", "service:gateway", "pi_"):
            assert told in page, page
        assert "pm_card_visa" not in page
    wrong = await shop.chobo("payments", "list", "--status", "PAYED")
    assert (wrong.returncode, "it is one of NONE, AUTHORISED" in wrong.stderr) == (2, True), wrong.stderr
    assert (await shop.chobo("payments", "show", str(uuid4()))).returncode == 1


async def test_verify_payments_names_and_repairs(
    shop: Shop, gateway: MemoryGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = await paid(shop)
    settings = Settings.read(defaults={"database_url": shop.database, "profile": "development"})
    assert await verify_payments(settings, None, repair=None, as_json=False, gateway=gateway) == 0
    (intent,) = await found(gateway, payment)
    gateway.charge_back(intent.reference)
    assert await verify_payments(settings, 1, repair=None, as_json=False, gateway=gateway) == 1
    assert f"CHARGED_BACK_DIFFERS payments {payment}" in capsys.readouterr().out
    assert await verify_payments(settings, None, repair="A webhook was lost", as_json=False, gateway=gateway) == 0
    await comes_to(shop, payment, "CHARGED_BACK")
    audit = await shop.said("audit")
    assert any(row["kind"] == "verify.repair" and row["target"] == "payments" for row in audit), audit


async def found(gateway: MemoryGateway, payment: UUID) -> Any:
    return await gateway.find(PaymentId(payment))


async def pay_elsewhere(gateway: MemoryGateway) -> None:
    amount = Money(amount=500, currency="EUR")
    wanted = Authorise(
        uuid4(), PaymentId(uuid4()), OrderId(uuid4()), AttemptId(uuid4()), PaymentMethod.WALLET, amount, "pm_card_visa"
    )
    await gateway.authorise(wanted)
