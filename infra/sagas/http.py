"""Commands of sagas by HTTP, to the process that serves the command API, with a token of our own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from sagas.port import Accepted, Refused, Request, Undelivered

TIMEOUT: Final = httpx.Timeout(10.0, connect=2.0)
EARLY: Final = 30.0  # seconds before its end in which a token is not used any more
NOT_OURS: Final = {401, 403, 405, 408, 425, 429}
"""Answers that say nothing of the command: it is sent again."""

NewToken = Callable[[], tuple[str, int]]
"""An access token of the service, and the seconds until it expires."""


class HttpCommands:
    """`client` has the base address of the command API."""

    def __init__(self, client: httpx.AsyncClient, new_token: NewToken) -> None:
        self._client = client
        self._new_token = new_token
        self._token = ""
        self._until = 0.0

    async def send(self, request: Request) -> Accepted | Refused:
        try:
            answer = await self._client.post(
                request.path, json=request.body, headers=self._headers(request), timeout=TIMEOUT
            )
            said: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Undelivered(f"POST {request.path}: {error or type(error).__name__}") from error
        if answer.is_success:
            return Accepted(said["version"], said["status"])
        if answer.status_code in NOT_OURS or answer.status_code >= 500:
            raise Undelivered(f"POST {request.path}: {answer.status_code} {said.get('code', '')}")
        facts: dict[str, Any] = said.get("facts") or {}
        if facts.get("what") == "address":
            raise Undelivered(f"POST {request.path}: the release that serves commands has no such row")
        return Refused(str(said.get("code", answer.status_code)), str(said.get("detail", "")), facts)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "authorization": f"Bearer {self._fresh()}",
            "idempotency-key": str(request.key),
            "x-correlation-id": request.correlation_id,
        }
        return headers | ({"traceparent": request.traceparent} if request.traceparent else {})

    def _fresh(self) -> str:
        if time.monotonic() > self._until:
            self._token, lasts = self._new_token()
            self._until = time.monotonic() + max(lasts - EARLY, lasts / 2)
        return self._token
