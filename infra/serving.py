"""Serving an ASGI app until a signal comes, with uvicorn, but with signals and order of stopping in our hands."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra import garbage

log: Final = logging.getLogger("chobo.serving")

LONGEST_FRAME: Final = 100_000
TAKES: Final = 30.0  # seconds


class AddressInUse(Exception):
    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {why}; choose another port with --port")


def listen(host: str, port: int) -> socket.socket:
    """Port 0 takes a free one. Raises AddressInUse: better now than after everything else has been started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise AddressInUse(host, port, error.strerror or str(error)) from None
    # What is accepted inherits it. asyncio (uvloop does not) leaves it out where a socket's protocol is not named, and
    # then every answer on a kept connection waits 40 ms for the acknowledgement of its own headers.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Patient:
    """Lets go of whoever takes nothing of a stream for so many seconds: what waits for them would wait for ever."""

    def __init__(self, app: ASGIApp, seconds: float = TAKES) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        let_go = False

        @wraps(send)  # the sandbox of the gateway looks at what is behind it
        async def sent(message: Message) -> None:
            nonlocal let_go
            if not message.get("more_body") and message["type"] != "websocket.send":
                await send(message)
                return
            try:
                async with asyncio.timeout(self._seconds):
                    await send(message)
            except TimeoutError:
                let_go = True
                raise

        try:
            await self._app(scope, receive, sent)
        except Exception:
            if not let_go:
                raise
            log.info("%s: nothing of it was taken for %g s", scope["path"], self._seconds)


class Server(uvicorn.Server):
    """`on_ready` is called once connections are accepted, `on_stop` when the first signal to stop comes.

    `longest_frame` is in bytes, of what comes over a WebSocket: a longer one is refused by its head, before it is read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        stop_within: float,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        longest_frame: int = LONGEST_FRAME,
    ) -> None:
        config = uvicorn.Config(
            Patient(app),
            lifespan="off",  # what the app stands on is started before and stopped after it
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=longest_frame,
            ws_per_message_deflate=False,  # a small frame could become a large message
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # whom X-Forwarded-For is believed is a setting of ours (infra/limiting/address.py)
            timeout_graceful_shutdown=max(1, round(stop_within)),
        )
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: uvicorn would raise them again after its own shutdown, before ours."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def stop(self) -> None:
        """The first time open requests are finished, the second time they are dropped."""
        if self.should_exit:
            self.force_exit = True
            return
        self.should_exit = True
        self._on_stop()

    async def serve_until_signal(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        garbage.settle()
        await self.serve(sockets=[listening])
