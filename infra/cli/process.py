"""One process of several: what its duties need, its address, and an orderly end at SIGTERM."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Collection, Sequence

import uvloop

from domain.aggregate import Context
from infra.bootstrap import System, running
from infra.cli.show import show_line
from infra.contexts import CONTEXTS
from infra.duties import Duty
from infra.logs import log_to_stderr
from infra.serving import Server, address_of, listen
from infra.settings import Settings

log = logging.getLogger("chobo.process")


def run(settings: Settings, duties: Collection[Duty], contexts: Sequence[Context] = CONTEXTS) -> None:
    """Until a signal comes. Log lines are JSON, but for a person at a terminal."""
    log_to_stderr(settings.log_level, as_json=not sys.stderr.isatty())
    listening = listen(settings.host, settings.port)
    uvloop.run(serve(settings, duties, contexts, listening))


async def serve(
    settings: Settings, duties: Collection[Duty], contexts: Sequence[Context], listening: socket.socket
) -> None:
    async with running(settings, duties, contexts) as system:
        server = Server(
            system.app,
            stop_within=settings.stop_seconds,
            longest_frame=settings.max_query_bytes,
            on_ready=lambda: announce(duties, address_of(listening)),
            on_stop=lambda: stop(system),
        )
        await server.serve_until_signal(listening)


def stop(system: System) -> None:
    log.info("stopping: what is open is finished")
    system.stopping.set()


def announce(duties: Collection[Duty], address: str) -> None:
    """The line on the standard output that scripts wait for."""
    show_line({"event": "ready", "duties": sorted(duties), "address": address})
