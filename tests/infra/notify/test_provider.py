"""SMS and push: one POST for each message, to a server that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.notify.channel import Deferred, Undeliverable
from infra.notify.provider import HttpProvider
from infra.serving import listen
from tests.eventually import until
from tests.infra.mail.letters import HANA, NOTIFICATION, letter


@dataclass
class Provider:
    answers: list[Response] = field(default_factory=list)
    posts: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)

    async def post(self, request: Request) -> Response:
        self.posts.append((dict(request.headers), json.loads(await request.body())))
        return self.answers.pop(0) if self.answers else Response('{"id": "msg_1"}', media_type="application/json")


@asynccontextmanager
async def provider(provider: Provider, key: str | None = "sk_test") -> AsyncIterator[HttpProvider]:
    app = Starlette(routes=[Route("/messages", provider.post, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    listening = listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/messages"
    async with httpx.AsyncClient(timeout=5) as client:
        yield HttpProvider(client, url, SecretStr(key) if key else None, "sms")
    server.should_exit = True
    await serving
    listening.close()


async def test_a_message_is_posted_with_its_notification_as_key_and_no_number_of_anybody() -> None:
    there = Provider()
    async with provider(there) as sms:
        assert await sms.send(letter()) == "msg_1"
    ((headers, body),) = there.posts
    assert (headers["idempotency-key"], headers["authorization"]) == (str(NOTIFICATION), "Bearer sk_test")
    assert body == {"id": str(NOTIFICATION), "kind": "sms", "to": str(HANA), "locale": "ja", "text": "ご注文"}


async def test_what_the_provider_calls_it_is_ours_where_it_says_nothing() -> None:
    there = Provider([Response(status_code=204), Response("[]"), Response("ok")])
    async with provider(there, key=None) as sms:
        assert [await sms.send(letter()) for _ in range(3)] == [str(NOTIFICATION)] * 3
    assert all("authorization" not in headers for headers, _ in there.posts)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
async def test_what_is_about_the_moment_is_tried_again(status: int) -> None:
    async with provider(Provider([Response(status_code=status)])) as sms:
        with pytest.raises(Deferred, match=f"answered {status}"):
            await sms.send(letter())


@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_what_is_about_the_message_is_the_end_of_it(status: int) -> None:
    async with provider(Provider([Response("hana@example.org", status_code=status)])) as sms:
        with pytest.raises(Undeliverable) as refused:
            await sms.send(letter())
    assert (refused.value.code, refused.value.why) == (f"PROVIDER_{status}", f"the sms provider answered {status}")


async def test_a_provider_that_is_away_is_waited_for() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(Deferred, match="cannot be reached: ConnectError"):
            await HttpProvider(client, "http://127.0.0.1:1/", None, "push").send(letter())
