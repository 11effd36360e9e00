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
    _signing_in: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def post(self, path: str, body: JSON, key: str | None = None) -> JSON:
        """Raises RefusedByServer, Unavailable."""
        return await self.api.post(path, body, key=key, token=await self._signed_in())

    async def get(self, path: str) -> JSON:
        """Raises RefusedByServer, Unavailable."""
        return await self.api.get(path, token=await self._signed_in())

    async def query(self, document: str, variables: JSON) -> JSON:
        """The data of a GraphQL query. Raises RefusedByServer, Unavailable."""
        answer = await self.post("/graphql", {"query": document, "variables": variables})
        if errors := answer.get("errors"):
            raise RefusedByServer({"code": errors[0]["extensions"]["code"], "detail": errors[0]["message"]})
        data: JSON = answer["data"]
        return data

    async def _signed_in(self) -> str:
        async with self._signing_in:
            if time.monotonic() > self._expires:
                await self._sign_in()
        return self._token

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
        return await self._ask("POST", path, {"Idempotency-Key": key} if key else {}, token, body)

    async def get(self, path: str, *, token: str | None = None) -> JSON:
        return await self._ask("GET", path, {}, token)

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], token: str | None, body: JSON | None = None
    ) -> JSON:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = await self._client.request(method, path, headers=headers, json=body)
        except httpx.TransportError:
            raise Unavailable(self.url) from None
        if response.status_code == TOO_MANY:
            await asyncio.sleep(int(response.headers["retry-after"]))
            return await self._ask(method, path, headers, token, body)
        if response.is_error:
            raise RefusedByServer(problem_in(response))
        answer: JSON = response.json()
        return answer


def problem_in(response: httpx.Response) -> JSON:
    """Who stands before the server may have answered in its place, and not in JSON."""
    if "json" not in response.headers.get("content-type", ""):
        return {"code": f"HTTP {response.status_code}", "detail": response.text[:200]}
    problem: JSON = response.json()
    return problem
