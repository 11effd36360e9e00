"""What Stripe's adapter makes of answers that neither sandbox nor contract give."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import stripe

from commands.payments.gateway import Invalid, RateLimited, Unknown
from infra.gateway.advice import advice_of
from infra.gateway.chosen import gateway as chosen
from infra.gateway.failures import answer_to
from infra.gateway.reading import Reader
from infra.gateway.stripe import StripeGateway
from infra.serving import listen
from infra.settings import Settings
from tests.contracts.test_gateway import authorise
from tests.eventually import eventually

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def at(url: str) -> StripeGateway:
    return StripeGateway("sk_test", webhook_secrets=["x" * 16], return_url="https://shop.example", url=url, timeout=5)


@pytest.mark.parametrize(
    "error,kind",
    [
        (stripe.APIConnectionError("away"), Unknown),
        (stripe.APIError("broken", http_status=500), Unknown),
        (stripe.APIError("in use", http_status=409), Unknown),
        (stripe.AuthenticationError("key", http_status=401), Unknown),
        (stripe.PermissionError("key", http_status=403), Unknown),
        (stripe.RateLimitError("slow", http_status=429), RateLimited),
        (stripe.IdempotencyError("other", http_status=400), Invalid),
        (stripe.InvalidRequestError("no", param="amount", http_status=400), Invalid),
    ],
)
def test_every_error_has_its_answer(error: stripe.StripeError, kind: type) -> None:
    assert isinstance(answer_to(error), kind)


@pytest.mark.parametrize("header,seconds", [("7", 7.0), ("0.5", 0.5), ("tomorrow", 1.0), (None, 1.0)])
def test_how_long_to_wait_is_what_the_gateway_says(header: str | None, seconds: float) -> None:
    error = stripe.RateLimitError("slow", http_status=429, headers={"retry-after": header} if header else {})
    assert answer_to(error) == RateLimited(seconds)


def test_its_own_advice_goes_before_ours() -> None:
    assert advice_of("insufficient_funds", "try_again_later") is advice_of("processing_error")
    assert advice_of("no_such_code").value == "NONE"


async def test_where_nobody_listens_the_outcome_is_unknown() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    gateway = at(f"http://127.0.0.1:{port}")
    try:
        for answer in (
            await gateway.authorise(authorise()),
            await gateway.get("pi_1"),
            await gateway.since(NOW),
            await gateway.find(authorise().payment_id),
        ):
            assert isinstance(answer, Unknown)
            assert "ConnectError" in answer.why
    finally:
        await gateway.close()


def test_an_unfinished_step_leads_to_the_page_of_the_shop() -> None:
    json: dict[str, Any] = {
        "id": "pi_1", "status": "requires_action", "amount": 1, "amount_received": 0, "amount_capturable": 0,
        "currency": "eur", "client_secret": "pi_1_secret", "next_action": {"type": "use_stripe_sdk"},
    }  # fmt: skip
    url = Reader("https://shop.example/paid?a=1").intent(json, NOW).url
    assert url == "https://shop.example/paid?a=1&payment_intent=pi_1&payment_intent_client_secret=pi_1_secret"


async def test_the_settings_choose_it() -> None:
    gateway = chosen(Settings.read({"CHOBO_PROFILE": "development", "CHOBO_GATEWAY_URL": "http://127.0.0.1:1"}))
    assert gateway.name == "stripe"
    assert isinstance(await gateway.get("pi_1"), Unknown)
    await gateway.close()


SERVER = "import sys; from aiohttp import web; from localstripe.server import app; "
SERVER += "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)"


@pytest.fixture
def localstripe(tmp_path: Path) -> Iterator[str]:
    """Somebody else's idea of Stripe, in a process of its own, on loopback (its own command listens everywhere)."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            eventually(lambda: process.poll() is None and answers(url), 60)
            yield url
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_config/data", timeout=2).status_code < 500
    except httpx.TransportError:
        time.sleep(0.1)
        return False


async def test_another_server_is_understood_as_far_as_it_speaks_the_api(localstripe: str) -> None:
    """It has no codes in its refusals, no sums captured, no parameter `return_url`: each is said, none hidden.

    A 404 without a code may as well come from a wrong address: it does not mean that the intent does not exist.
    """
    gateway = at(localstripe)
    try:
        assert await gateway.get("pi_none") == Unknown("invalid_request_error: Not Found")
        refused = await gateway.authorise(authorise())
        assert isinstance(refused, Invalid)
        assert "return_url" in refused.why
        params: Any = {
            "amount": 100, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True,
            "capture_method": "manual", "metadata": {"attempt_id": str(uuid4())},
        }  # fmt: skip
        intent = await gateway._intents.create_async(params)
        assert intent.status == "requires_capture"
        unreadable = await gateway.get(intent.id)
        assert isinstance(unreadable, Unknown)
        assert "amount_received" in unreadable.why
        assert (await gateway._intents.capture_async(intent.id)).status == "succeeded"
        assert (await gateway._v1.refunds.create_async({"payment_intent": intent.id})).status == "succeeded"
    finally:
        await gateway.close()
