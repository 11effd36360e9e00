"""The command API, as a program of somebody else would call it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx

JSON = dict[str, Any]
TOO_MANY: Final = 429


class RefusedByServer(Exception):
    """A problem, with its `code`."""

    def __init__(self, problem: JSON) -> None:
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}")
        self.code = problem.get("code")


class Unavailable(Exception):
    def __init__(self, url: str) -> None:
        super().__init__(f"nothing answers at {url}: start it with `chobo up`, or name another with --url")


@dataclass(slots=True)
class Session:
    """Somebody who signs in when it is needed, and again before the access token expires."""

    api: Api
    email: str
    password: str = field(repr=False)
    _token: str = field(default="", repr=False)
    _expires: float = 0.0

    async def post(self, path: str, body: JSON, key: str | None = None) -> JSON:
        """Raises RefusedByServer, Unavailable."""
        if time.monotonic() > self._expires:
            await self._sign_in()
        return await self.api.post(path, body, key=key, token=self._token)

    async def _sign_in(self) -> None:
        answer = await self.api.post("/v1/sessions", {"email": self.email, "password": self.password})
        self._token = answer["accessToken"]
        self._expires = time.monotonic() + answer["expiresIn"] * 0.8


class Api:
    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, path: str, body: JSON, *, key: str | None = None, token: str | None = None) -> JSON:
        headers = {"Idempotency-Key": key} if key else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = await self._client.post(path, json=body, headers=headers)
        except httpx.TransportError:
            raise Unavailable(self.url) from None
        if response.status_code == TOO_MANY:
            await asyncio.sleep(int(response.headers["retry-after"]))
            return await self.post(path, body, key=key, token=token)
        answer: JSON = response.json()
        if response.is_error:
            raise RefusedByServer(answer)
        return answer
