"""The clients that front ends use: graphql-ws and graphql-sse, as npm has them."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from domain.access import TokenExpired
from tests.npm.installed import HERE, installed
from tests.read_api.conftest import Api
from tests.read_api.live.test_changes import ONE, ORDER, STORY
from tests.read_api.served import served

pytestmark = [pytest.mark.requires("node"), pytest.mark.timeout(240)]


@dataclass
class Client:
    """A running one, and what it prints."""

    process: asyncio.subprocess.Process

    async def says(self) -> Any:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail((await self.process.stderr.read()).decode())
        return json.loads(line)

    async def order(self) -> Any:
        return (await self.says())["result"]["data"]["orderChanged"]["order"]


@asynccontextmanager
async def running(way: str, address: str, token: str, query: str, count: int = 100) -> AsyncIterator[Client]:
    script = Path(shutil.copy(HERE / "follow.mjs", await asyncio.to_thread(installed) / "follow.mjs"))
    payload = json.dumps({"query": query, "variables": {"id": str(ORDER)}})
    process = await asyncio.create_subprocess_exec(
        "node", script, way, address, token, payload, str(count), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        client = Client(process)
        if way == "ws" and token != "forged":
            assert "ack" in await client.says()
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def address(api: Api) -> AsyncIterator[str]:
    await asyncio.to_thread(installed)
    await api.has_seen("orders", STORY[:1])
    async with served(api.app) as address:
        yield address


@pytest.mark.parametrize("way", ["ws", "sse"])
async def test_a_client_is_told_the_present_state_and_each_change(api: Api, address: str, way: str) -> None:
    async with running(way, address, "customer", ONE, count=3) as client:
        assert await client.order() == {"version": 1, "status": "PLACED"}
        await api.has_seen("orders", STORY[1:2])
        assert await client.order() == {"version": 2, "status": "CONFIRMED"}
        await api.has_seen("orders", STORY[2:])
        assert (await client.order())["version"] == 3
        assert await client.says() == {"end": True}


@pytest.mark.parametrize("way", ["ws", "sse"])
async def test_a_client_is_told_when_its_token_has_expired(
    api: Api, address: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(token: str) -> Any:
        raise TokenExpired

    async with running(way, address, "customer", ONE) as client:
        await client.order()
        monkeypatch.setattr(api.app, "_authenticate", expired)
        assert (await client.says())["result"]["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
        assert await client.says() == {"end": True}


async def test_a_client_that_is_not_recognised_is_told_so(address: str) -> None:
    async with running("ws", address, "forged", ONE) as client:
        error = (await client.says())["error"]
    assert (error["code"], error["reason"]) == (4403, "TOKEN_INVALID")


@pytest.mark.parametrize("way", ["ws", "sse"])
async def test_a_client_is_told_what_is_wrong_with_its_document(address: str, way: str) -> None:
    async with running(way, address, "customer", "subscription ($id: ID!) { nothing(id: $id) }") as client:
        said = await client.says()
    errors = said["error"] if way == "ws" else said["result"]["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"INVALID_DOCUMENT"}
