"""Between the network and the app: the sandbox's own time in `Date`, and everything that goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from email.utils import formatdate
from inspect import unwrap
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.gateway.faults import Fault
from infra.gateway.sandbox.api import SERVER_ERROR
from infra.gateway.sandbox.misfortune import Misfortune, Rule
from infra.gateway.sandbox.refusals import JSON
from infra.gateway.sandbox.state import State

RETRY_AFTER: Final = 1
GONE: Final = 1.0  # seconds until a connection that was broken off is gone, at most
TOO_MANY: Final[JSON] = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Slow down."}}


@dataclass(slots=True)
class Edge:
    """Faults touch `/v1` only, not the endpoints by which they are set."""

    app: ASGIApp
    state: State
    misfortune: Misfortune
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        api = scope["path"].startswith("/v1/")
        rule = self.misfortune.of(f"{scope['method']} {scope['path']}") if api else None
        if rule is None:
            await self.app(scope, receive, self._dated(send))
        else:
            await self._goes_wrong(rule, scope, receive, send)

    def _dated(self, send: Send) -> Send:
        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"date", formatdate(self.state.now(), usegmt=True).encode()),
                ]
            await send(message)

        return with_date

    async def _goes_wrong(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        match rule.fault:
            case Fault.RATE_LIMITED:
                await self._say(send, 429, TOO_MANY, (b"retry-after", b"%d" % RETRY_AFTER))
            case Fault.ERROR_BEFORE:
                await self._say(send, 500, SERVER_ERROR)
            case Fault.TIMEOUT_BEFORE:
                await self._hang(rule.seconds, receive, send)
            case Fault.DELAY:
                await self._pause(rule.seconds)
                await self.app(scope, receive, self._dated(send))
            case _:
                await self.app({**scope, "loses": rule.fault is Fault.ERROR_KEPT}, receive, swallow)
                await self._lose(rule, receive, send)

    async def _lose(self, rule: Rule, receive: Receive, send: Send) -> None:
        """It was done; the answer does not arrive."""
        if rule.fault in {Fault.ERROR_AFTER, Fault.ERROR_KEPT}:
            await self._say(send, 500, SERVER_ERROR)
        elif rule.fault is Fault.CUT:
            await cut(send)
        else:
            await self._hang(rule.seconds, receive, send)

    async def _hang(self, seconds: float, receive: Receive, send: Send) -> None:
        """Until the caller gives up, or for so many seconds."""
        gone = asyncio.create_task(disconnected(receive))
        pause = asyncio.create_task(self._pause(seconds))
        await asyncio.wait({gone, pause}, return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, pause):
            task.cancel()
        await asyncio.wait({gone, pause})
        await cut(send)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()

    async def _say(self, send: Send, status: int, body: JSON, *headers: tuple[bytes, bytes]) -> None:
        start = [(b"content-type", b"application/json"), *headers]
        said = self._dated(send)
        await said({"type": "http.response.start", "status": status, "headers": start})
        await said({"type": "http.response.body", "body": json.dumps(body).encode()})


async def swallow(message: Message) -> None:
    """An answer that nobody gets."""


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def cut(send: Send) -> None:
    """ASGI has no word for breaking a connection off; uvicorn's `send` is a method of what holds the transport.

    Whoever returns before it is gone is taken by uvicorn for one who forgot to answer.
    """
    cycle: Any = getattr(unwrap(send), "__self__")  # noqa: B009  # a bound method, as far as types know it is any callable
    cycle.transport.abort()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GONE):
            while not cycle.disconnected:
                await asyncio.sleep(0)
