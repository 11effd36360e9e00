"""An address that takes webhooks, or for a while does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

from infra.serving import Server, address_of, listen


@dataclass
class Receiver:
    address: str = ""
    refusing: bool = False
    refused: int = 0
    taken: list[tuple[bytes, dict[bytes, bytes]]] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.taken]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.refused += self.refusing
        if not self.refusing:
            self.taken.append((body, dict(scope["headers"])))
        await send({"type": "http.response.start", "status": 503 if self.refusing else 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver, listening, ready = Receiver(), listen("127.0.0.1", 0), asyncio.Event()
    receiver.address = address_of(listening)
    server = Server(receiver, stop_within=1, on_ready=ready.set, on_stop=lambda: None)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await ready.wait()
    try:
        yield receiver
    finally:
        server.stop()
        await serving
