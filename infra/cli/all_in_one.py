"""What `chobo up` does: secrets, PostgreSQL, the system, the server; and everything in reverse at the end."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from pydantic import SecretStr

from infra import garbage
from infra.bootstrap import System, running
from infra.cli.installation import installation
from infra.cli.show import show_line
from infra.embedded import EmbeddedPostgres, PostgresFailed
from infra.logs import log_to_stderr
from infra.serving import Server, address_of, listen
from infra.settings import Settings

log = logging.getLogger("chobo.up")


class AllInOne:
    """`flags` are settings by name, None for those that were not given; `demo` the sample shop's orders a second."""

    def __init__(self, flags: Mapping[str, Any], *, as_json: bool, demo: float | None = None) -> None:
        self.settings = installation(**flags)
        self.as_json = as_json
        self.demo = demo
        self._shop: asyncio.Task[None] | None = None
        log_to_stderr(self.settings.log_level, as_json=as_json)

    def run(self) -> None:
        """Until a signal comes."""
        listening = listen(self.settings.host, self.settings.port)
        if self.settings.database_url:
            uvloop.run(self._serve(self.settings, listening, None))
            return
        self._say(f"Starting PostgreSQL on {self.settings.data.absolute()} ...", event="starting")
        with EmbeddedPostgres(self.settings.data) as postgres:
            embedded = self.settings.model_copy(update={"database_url": SecretStr(postgres.conninfo())})
            uvloop.run(self._serve(embedded, listening, postgres))

    async def _serve(self, settings: Settings, listening: socket.socket, postgres: EmbeddedPostgres | None) -> None:
        async with kept_running(postgres), running(settings) as system:
            server = Server(
                system.app,
                stop_within=settings.stop_seconds,
                on_ready=lambda: self._announce(system, address_of(listening)),
                on_stop=self._close,
            )
            garbage.settle()
            await server.serve_until_signal(listening)

    def _announce(self, system: System, address: str) -> None:
        """The last line is what scripts wait for."""
        for name, path in system.pages.items():
            self._say(f"  {name:<16} {address}{path}")
        operator = {"email": self.settings.operator_email, "password": password_of(self.settings)}
        self._say(f"  first operator   {operator['email']}  password {operator['password']}")
        self._say(f"Chobo is ready at {address}", event="ready", address=address, operator=operator)
        if self.demo is not None:
            self._shop = asyncio.create_task(self._trade(address, self.demo))

    def _close(self) -> None:
        if self._shop:
            self._shop.cancel()
        self._say("Stopping: finishing what is open ...", event="stopping")

    async def _trade(self, address: str, rate: float) -> None:
        """Whatever happens in the sample shop, Chobo goes on."""
        from infra.cli.sample_shop import run

        try:
            await run(self.settings, address, rate, None, as_json=self.as_json)
        except Exception:
            log.exception("the sample shop has closed")

    def _say(self, sentence: str, **facts: Any) -> None:
        if not self.as_json:
            print(sentence, flush=True)
        elif facts:
            show_line(facts)


def password_of(settings: Settings) -> str:
    return settings.operator_password.get_secret_value() if settings.operator_password else "(none)"


@asynccontextmanager
async def kept_running(postgres: EmbeddedPostgres | None) -> AsyncIterator[None]:
    """Starts the embedded server again whenever it ends by itself; what uses it connects again."""
    if postgres is None:
        yield
        return
    watcher = asyncio.create_task(restart_whenever_it_ends(postgres))
    try:
        yield
    finally:
        watcher.cancel()


async def restart_whenever_it_ends(postgres: EmbeddedPostgres) -> None:
    while True:
        code = await postgres.ended()
        log.warning("PostgreSQL ended with %s; it is started again", code)
        try:
            await postgres.restart()
        except PostgresFailed as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            await asyncio.sleep(1)
