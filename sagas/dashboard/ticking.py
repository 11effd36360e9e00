"""Pages whose figures change without any event: they are looked at again and again while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final

from starlette.responses import StreamingResponse

from sagas.dashboard.headers import STREAMED
from sagas.dashboard.live import ALIVE, made, message

TICK: Final = 2.0  # seconds between two looks

Fragment = Callable[[], Awaitable[str]]


def ticking(fragment: Fragment, stopping: asyncio.Event, every: float = TICK) -> StreamingResponse:
    """Sends the fragment whenever it is another than before; what is sent is how things are, so nothing is missed."""
    return StreamingResponse(ticks(fragment, stopping, every), media_type="text/event-stream", headers=STREAMED)


async def ticks(fragment: Fragment, stopping: asyncio.Event, every: float) -> AsyncIterator[str]:
    last, silent = "", 0.0
    yield ":\n\n"
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every)
            return
        html, silent = await asyncio.shield(asyncio.ensure_future(made(fragment))), silent + every
        if html and html != last:
            last, silent = html, 0.0
            yield message("", html)
        elif silent >= ALIVE:
            silent = 0.0
            yield ":\n\n"
