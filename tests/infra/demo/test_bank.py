"""The customers' bank of the sample shop, which is the sandbox gateway."""

from __future__ import annotations

import httpx
import pytest

from infra.demo.bank import FAULTS, Bank, BankRefused, NotASandbox
from infra.gateway.sandbox import SandboxGateway

KEY = {"Authorization": "Bearer sk_test"}
PAID_ON_A_PAGE = {
    "amount": "350", "currency": "eur", "capture_method": "manual", "confirm": "true",
    "payment_method": "pm_card_authenticationRequired", "return_url": "http://127.0.0.1:9/thanks",
}  # fmt: skip
TRANSFERRED = {"amount": "350", "currency": "eur", "confirm": "true", "payment_method": "pm_bankTransfer"}


@pytest.fixture
async def sandbox(tmp_path):
    async with SandboxGateway(tmp_path, secret="whsec_test") as running:
        yield running


async def asked(sandbox, method, path, form=None):
    async with httpx.AsyncClient(base_url=sandbox.address, headers=KEY) as client:
        return (await client.request(method, path, data=form)).json()


@pytest.mark.parametrize("pays, status", [(True, "requires_capture"), (False, "requires_payment_method")])
async def test_a_customer_pays_on_the_page_or_fails(sandbox, pays, status):
    intent = await asked(sandbox, "POST", "/v1/payment_intents", PAID_ON_A_PAGE)
    async with Bank() as bank:
        await bank.answer(intent["next_action"]["redirect_to_url"]["url"], pays=pays)
        assert bank.address == sandbox.address
    assert (await asked(sandbox, "GET", f"/v1/payment_intents/{intent['id']}"))["status"] == status


async def test_money_that_is_sent_arrives_once(sandbox):
    intent = await asked(sandbox, "POST", "/v1/payment_intents", TRANSFERRED)
    async with Bank(sandbox.address) as bank:
        await bank.send_money(intent["id"])
        with pytest.raises(BankRefused, match="the bank answered 400"):
            await bank.send_money(intent["id"])
    assert (await asked(sandbox, "GET", f"/v1/payment_intents/{intent['id']}"))["status"] == "succeeded"


async def test_bad_luck_stands_in_the_sandbox(sandbox):
    async with Bank(sandbox.address) as bank:
        await bank.have_bad_luck(seed=7)
    standing = (await asked(sandbox, "GET", "/_faults"))["rules"]
    assert [rule["fault"] for rule in standing] == [fault["fault"].value for fault in FAULTS]
    assert all(0 < rule["probability"] < 0.05 for rule in standing)


async def test_nobody_pays_on_a_page_that_is_not_the_sandboxs():
    async with Bank() as bank:
        with pytest.raises(NotASandbox, match=r"cannot pay at hooks\.stripe\.com"):
            await bank.answer("https://hooks.stripe.com/redirect/authenticate/src_1", pays=True)
