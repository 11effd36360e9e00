"""The sandbox as a service: inside another process, or alone."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from infra.gateway.sandbox import api
from infra.gateway.sandbox.app import Endpoints, made
from infra.gateway.sandbox.edge import Edge
from infra.gateway.sandbox.misfortune import Misfortune, Rule
from infra.gateway.sandbox.state import State
from infra.gateway.sandbox.webhooks import Webhooks
from infra.serving import Server, address_of, listen

TICK: Final = 1.0
"""Seconds between looks at what time has brought; a request looks too."""


class SandboxGateway:
    """Keeps its state in `directory`. Port 0 takes a free one; `address` is where it then is.

    `webhook_url` is told of every event, signed with `secret`; None keeps the events until there is an address.
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_url: str | None = None,
        secret: str,
        faults: Iterable[Rule] = (),
        stop_within: float = 2.0,
    ) -> None:
        self._directory, self._host, self._port = directory, host, port
        self._webhook_url, self._secret = webhook_url, secret
        self._faults = tuple(faults)
        self._stop_within = stop_within
        self.address = ""

    async def start(self) -> None:
        """Returns once it takes requests. Raises AddressInUse."""
        listening = listen(self._host, self._port)
        self._port = listening.getsockname()[1]  # a second start comes back where the first was
        self.address = address_of(listening)
        self.state = State(self._directory, self.address)
        misfortune = Misfortune()
        misfortune.add(*self._faults)
        self._webhooks = Webhooks(self.state, misfortune, self._webhook_url, self._secret)
        edge = Edge(made(Endpoints(self.state, misfortune, self._webhooks)), self.state, misfortune)
        self._stopping = edge.stopping
        await self._serve(edge, listening)
        self._tasks = [asyncio.create_task(self._webhooks.run()), asyncio.create_task(self._tick())]

    async def _serve(self, edge: Edge, listening: socket.socket) -> None:
        ready = asyncio.Event()
        self._server = Server(edge, stop_within=self._stop_within, on_ready=ready.set, on_stop=edge.stopping.set)
        self._server.config.date_header = False  # its clock is its own
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            waiting.cancel()
            await self._serving

    async def stop(self) -> None:
        """Finishes what was asked for. What was not sent is sent after the next start."""
        self._server.stop()
        await self._serving
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self.state.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            api.settle(self.state)
            await self.state.flush()
            if self.state.unsent:
                self._webhooks.wake()


async def serve(
    host: str, port: int, directory: Path, *, webhook_url: str | None, secret: str, stop_within: float
) -> None:
    """Serves it alone until a signal to stop comes. Raises AddressInUse."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    gateway = SandboxGateway(
        directory, host=host, port=port, webhook_url=webhook_url, secret=secret, stop_within=stop_within
    )
    async with gateway:
        await stopped.wait()
