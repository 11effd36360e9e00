"""The sandbox gateway as the customers' bank: its pages, money that arrives, and bad luck."""

from __future__ import annotations

from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from infra.gateway.faults import Fault

PAGES: Final = "/_intents/"
TIMEOUT: Final = 30

FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"route": "POST /v1/*", "fault": Fault.ERROR_BEFORE, "probability": 0.01},
    {"route": "POST /v1/*", "fault": Fault.ERROR_AFTER, "probability": 0.01},
    {"route": "POST /v1/*", "fault": Fault.RATE_LIMITED, "probability": 0.01},
    {"route": "POST /v1/*", "fault": Fault.CUT, "probability": 0.01},
    {"route": "*", "fault": Fault.DELAY, "probability": 0.02, "seconds": 2},
    {"route": "*", "fault": Fault.DUPLICATE, "probability": 0.03},
    {"route": "*", "fault": Fault.LATE, "probability": 0.02, "seconds": 5},
    {"route": "*", "fault": Fault.REORDERED, "probability": 0.02, "seconds": 5},
    {"route": "*", "fault": Fault.LOST, "probability": 0.005},
)
"""Now and then, of all that is asked of the gateway and of all that it tells."""


class BankRefused(Exception):
    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"the bank answered {response.status_code}: {response.text[:200]}")


class NotASandbox(Exception):
    def __init__(self, page: str) -> None:
        host = urlsplit(page).netloc
        super().__init__(f"a program cannot pay at {host}: only the sandbox gateway has pages for that ({PAGES})")


class Bank:
    """`address` is the sandbox's. Without one it is known once a customer was sent to one of its pages."""

    def __init__(self, address: str | None = None) -> None:
        self.address = address
        self._client = httpx.AsyncClient(timeout=TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def answer(self, page: str, *, pays: bool) -> None:
        """What the customer does on the page. Raises NotASandbox, BankRefused."""
        address, found, _ = page.partition(PAGES)
        if not found:
            raise NotASandbox(page)
        self.address = address
        await self._post(page, {"succeed": pays})

    async def send_money(self, reference: str) -> None:
        """By transfer, for the attempt with this name at the gateway. Raises BankRefused."""
        await self._post(f"{self.address}{PAGES}{reference}/money", {"succeed": True})

    async def have_bad_luck(self, seed: int) -> None:
        """From now on, until the sandbox ends. Raises BankRefused."""
        rules = [rule | {"seed": seed + number} for number, rule in enumerate(FAULTS)]
        await self._post(f"{self.address}/_faults", {"rules": rules})

    async def _post(self, url: str, body: dict[str, Any]) -> None:
        """The pages send the customer back to the shop afterwards, where nothing waits for a program."""
        response = await self._client.post(url, json=body)
        if response.is_error:
            raise BankRefused(response)
