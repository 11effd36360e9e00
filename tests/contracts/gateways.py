"""Gateways under the contract suite, each with what the customer, the bank, time and bad luck do to it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import httpx

from commands.payments.gateway import Gateway
from domain.money import Money
from infra.gateway.faults import Fault
from infra.gateway.memory import MemoryGateway
from infra.gateway.sandbox import SandboxGateway
from infra.gateway.stripe import StripeGateway

SECRET: Final = "whsec_of_the_tests_only"
PATIENCE: Final = 1.0
"""Seconds after which the adapter gives up waiting; only time-outs wait that long."""


class Side(Protocol):
    @property
    def gateway(self) -> Gateway: ...

    async def advance(self, by: timedelta) -> None: ...
    async def act(self, reference: str, *, succeed: bool = True) -> None: ...
    async def receive(self, reference: str, *, succeed: bool = True) -> None: ...
    async def charge_back(self, reference: str) -> None: ...
    async def refund_directly(self, reference: str, amount: Money) -> None: ...
    async def fails(self, fault: Fault) -> None:
        """The next request that is to change something."""
        ...


class MemorySide:
    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()
        self.gateway = MemoryGateway(faults=self._next)

    def _next(self, name: str) -> Fault | None:
        return self._faults.popleft() if self._faults else None

    async def advance(self, by: timedelta) -> None:
        self.gateway.advance(by)

    async def act(self, reference: str, *, succeed: bool = True) -> None:
        self.gateway.act(reference, succeed=succeed)

    async def receive(self, reference: str, *, succeed: bool = True) -> None:
        self.gateway.receive(reference, succeed=succeed)

    async def charge_back(self, reference: str) -> None:
        self.gateway.charge_back(reference)

    async def refund_directly(self, reference: str, amount: Money) -> None:
        self.gateway.refund_directly(reference, amount)

    async def fails(self, fault: Fault) -> None:
        self._faults.append(fault)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Side]:
    yield MemorySide()


class SandboxSide:
    """Stripe's adapter and SDK, over loopback."""

    def __init__(self, gateway: StripeGateway, client: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self._client = client

    async def advance(self, by: timedelta) -> None:
        await self._post("/_clock", seconds=int(by.total_seconds()))

    async def act(self, reference: str, *, succeed: bool = True) -> None:
        """A customer who was to be asked for a card gives one, as the shop's page does; else it is the bank's page."""
        shown = await self._client.get(f"/v1/payment_intents/{reference}", headers=AUTHORISED)
        if shown.json()["status"] != "requires_payment_method":
            await self._post(f"/_intents/{reference}", succeed=succeed)
            return
        card = {"payment_method": "pm_card_visa"}
        confirmed = await self._client.post(f"/v1/payment_intents/{reference}/confirm", data=card, headers=AUTHORISED)
        confirmed.raise_for_status()

    async def receive(self, reference: str, *, succeed: bool = True) -> None:
        await self._post(f"/_intents/{reference}/money", succeed=succeed)

    async def charge_back(self, reference: str) -> None:
        await self._post(f"/_intents/{reference}/dispute")

    async def refund_directly(self, reference: str, amount: Money) -> None:
        data = {"payment_intent": reference, "amount": str(amount.amount)}
        (await self._client.post("/v1/refunds", data=data, headers=AUTHORISED)).raise_for_status()

    async def fails(self, fault: Fault) -> None:
        await self._post("/_faults", rules=[{"route": "POST /v1/*", "fault": fault, "times": 1}])

    async def _post(self, path: str, **body: object) -> None:
        answer = await self._client.post(path, json=body)
        assert answer.status_code < 400, answer.text


AUTHORISED: Final = {"Authorization": "Bearer sk_test_contract"}


@asynccontextmanager
async def on_the_sandbox(directory: Path) -> AsyncIterator[SandboxSide]:
    async with SandboxGateway(directory, secret=SECRET) as sandbox, adapted(sandbox) as side:
        yield side


@asynccontextmanager
async def adapted(sandbox: SandboxGateway) -> AsyncIterator[SandboxSide]:
    gateway = StripeGateway(
        "sk_test_contract",
        webhook_secrets=[SECRET],
        return_url="https://shop.example/paid",
        url=sandbox.address,
        timeout=PATIENCE,
    )
    try:
        async with httpx.AsyncClient(base_url=sandbox.address, timeout=10) as client:
            yield SandboxSide(gateway, client)
    finally:
        await gateway.close()
