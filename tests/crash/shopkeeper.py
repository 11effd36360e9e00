"""A shop in one process of its own: commands, sagas and to-dos, served on loopback until it dies.

It is forked from a server that has imported everything already, so that a life costs a fraction of a second.
"""

from __future__ import annotations

import asyncio
import os
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from infra.bootstrap import running
from infra.contexts import CONTEXTS
from infra.duties import Duty
from infra.gateway.stripe import StripeGateway
from infra.serving import Server, address_of, listen
from infra.settings import Settings
from tests.crash.points import MortalGateway, Point, Points, mortal

DUTIES: Final = (Duty.COMMANDS, Duty.SAGAS, Duty.TODO)
LEASE: Final = 1.5  # seconds; what a dead process had in hand is taken over so much later
PASSED: Final = "passed"

FORKS: Final = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.crash.shopkeeper", "pytest"])


class Life:
    """Of one process. It hears at which point it is to die, or `PASSED`, upon which it tells the points so far."""

    def __init__(self, process: BaseProcess, line: Connection, address: str) -> None:
        self.process = process
        self.address = address
        self._line = line

    @classmethod
    def begun(cls, settings: Settings) -> Life:
        ours, theirs = FORKS.Pipe()
        process = FORKS.Process(target=live, args=(settings, theirs), daemon=True)
        process.start()
        theirs.close()
        assert ours.poll(60), "it does not come up"
        return cls(process, ours, ours.recv())

    def arm(self, fatal: Point | None) -> None:
        self._line.send(fatal)
        assert self._line.recv() is None

    def spare(self) -> bool:
        """Lets it live whatever comes. False when that is too late."""
        try:
            self.arm(None)
        except (EOFError, OSError):
            return False
        return True

    def passed(self) -> list[Point]:
        self._line.send(PASSED)
        points: list[Point] = self._line.recv()
        return points

    def ended(self, within: float) -> int | None:
        """Its exit code; None when it lives."""
        self.process.join(within)
        return self.process.exitcode

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self._line.close()


def live(settings: Settings, line: Connection) -> None:
    asyncio.run(serve(settings, line))


async def serve(settings: Settings, line: Connection) -> None:
    points = Points()
    mortal(points, lease=LEASE)
    asyncio.get_running_loop().add_reader(line.fileno(), lambda: obey(line, points))
    listening = listen("127.0.0.1", 0)
    async with running(settings, DUTIES, CONTEXTS, gateway=gateway(settings, points)) as system:
        server = Server(
            system.app, stop_within=1, on_ready=lambda: line.send(address_of(listening)), on_stop=system.stopping.set
        )
        await server.serve_until_signal(listening)


def obey(line: Connection, points: Points) -> None:
    try:
        said: Any = line.recv()
    except (EOFError, OSError):
        os._exit(1)  # whoever began this life is dead: nobody would end it
    if said == PASSED:
        line.send(list(points.passed))
        return
    points.arm(said)
    line.send(None)


def gateway(settings: Settings, points: Points) -> StripeGateway:
    return MortalGateway(
        points,
        settings.gateway_key.get_secret_value(),
        webhook_secrets=settings.webhook_secrets(),
        return_url=settings.gateway_return_url,
        url=settings.gateway_url,
    )
