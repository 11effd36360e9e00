"""A user's life through the public APIs, with real tokens and real hashes, everything in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.bootstrap import running
from infra.settings import Settings

OPERATOR = {"email": "operator@example.org", "password": "an operator's password"}
HANA = {"email": "hana@example.org", "password": "correct horse"}
ADDRESS = {"name": "Hana Ito", "line1": "1 Sakura", "postalCode": "100-0001", "city": "Tokyo", "country": "JP"}
ME = "{ me { id status email displayName addressBook { address { city } } signIns { count } } }"


@dataclass
class Shop:
    client: httpx.AsyncClient

    async def post(self, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.client.post(path, json=body or {}, headers=headers)

    async def done(self, path: str, body: Any = None, token: str | None = None) -> dict[str, Any]:
        answer = await self.post(path, body, token)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    async def ask(self, document: str, token: str, seen: str = "") -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({"consistency-token": seen} if seen else {})
        return await self.client.post("/graphql", json={"query": document}, headers=headers)

    async def sign_in(self, who: dict[str, str]) -> dict[str, Any]:
        return await self.done("/v1/sessions", who)


@pytest.fixture
def settings(database: str) -> Settings:
    return Settings.read(
        {},
        profile="development",
        database_url=database,
        operator_email=OPERATOR["email"],
        operator_password=OPERATOR["password"],
    )


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with running(settings) as system:
        transport = httpx.ASGITransport(system.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield Shop(client)


async def within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.05)


async def test_registered_signed_in_and_seen_at_once(shop: Shop) -> None:
    account = await shop.done("/v1/users", {**HANA, "name": "Hana"})
    session = await shop.sign_in(HANA)
    answer = await shop.ask(ME, session["accessToken"], session["consistencyToken"])
    assert answer.json()["data"]["me"] == {
        "id": account["id"],
        "status": "ACTIVE",
        "email": "hana@example.org",
        "displayName": "Hana",
        "addressBook": [],
        "signIns": {"count": 1},
    }


async def test_the_tokens_of_a_suspended_user_stop_within_seconds_in_both_apis(shop: Shop) -> None:
    hana = await shop.done("/v1/users", {**HANA, "name": "Hana"})
    session, operator = await shop.sign_in(HANA), await shop.sign_in(OPERATOR)
    path = f"/v1/users/{hana['id']}"
    await shop.done(f"{path}/suspend", {"reason": "spam"}, operator["accessToken"])

    async def refused() -> bool:
        return (await shop.post(f"{path}/add-address", {"address": ADDRESS}, session["accessToken"])).status_code == 401

    await within(5, refused)
    assert (await shop.ask(ME, session["accessToken"])).json()["errors"][0]["extensions"]["code"] == "ACCOUNT_BLOCKED"
    again = await shop.post("/v1/sessions/refresh", {"refreshToken": session["refreshToken"]})
    assert again.json()["code"] == "SESSION_OVER"
    await shop.done(f"{path}/reinstate", {"reason": "a mistake"}, operator["accessToken"])
    assert (await shop.sign_in(HANA))["status"] == "OPEN"


async def test_an_erased_user_shows_nothing_and_leaves_the_address_to_others(shop: Shop) -> None:
    hana = await shop.done("/v1/users", {**HANA, "name": "Hana"})
    session, operator = await shop.sign_in(HANA), await shop.sign_in(OPERATOR)
    path = f"/v1/users/{hana['id']}"
    await shop.done(f"{path}/add-address", {"address": ADDRESS}, session["accessToken"])
    erased = await shop.done(f"{path}/erase", token=session["accessToken"])
    answer = await shop.ask(
        f'{{ user(id: "{hana["id"]}") {{ status email displayName addressBook {{ id }} }} }}',
        operator["accessToken"],
        erased["consistencyToken"],
    )
    shown = answer.json()["data"]["user"]
    assert shown == {"status": "ERASED", "email": None, "displayName": None, "addressBook": []}
    assert (await shop.post("/v1/sessions", HANA)).json()["code"] == "SIGN_IN_REFUSED"
    assert (await shop.done("/v1/users", {**HANA, "name": "Hana"}))["id"] != hana["id"]
