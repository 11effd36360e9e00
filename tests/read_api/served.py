"""The read API on a real port, for clients that are no Python."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from infra.serving import Server, address_of, listen


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Its address."""
    ready = asyncio.Event()
    listening = listen("127.0.0.1", 0)
    server = Server(app, stop_within=1, on_ready=ready.set, on_stop=lambda: None)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await ready.wait()
        yield address_of(listening)
    finally:
        server.should_exit = True
        await serving
