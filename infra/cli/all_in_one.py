"""What `chobo up` does: secrets, PostgreSQL and Kafka, the system, the server; and all in reverse at the end."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any, Final, Protocol

import uvloop
from pydantic import SecretStr

from infra import garbage
from infra.bootstrap import System, running
from infra.cli.installation import installation
from infra.cli.show import show_line
from infra.embedded import EmbeddedPostgres, PostgresFailed
from infra.kafka.jars import KafkaFailed
from infra.logs import log_to_stderr
from infra.serving import Server, address_of, listen
from infra.settings import FeedKind, Profile, Settings

SAMPLE_SHOP: Final = 1000.0
"""By how much the limits are raised for it: its customers all come from one address."""

log = logging.getLogger("chobo.up")


class AllInOne:
    """`flags` are settings by name, None for those that were not given; `demo` the sample shop's orders a second."""

    def __init__(
        self, flags: Mapping[str, Any], *, as_json: bool, demo: float | None = None, seed: int | None = None
    ) -> None:
        self.settings = installation(**flags, rate_limits=SAMPLE_SHOP if demo else None)
        self.as_json = as_json
        self.demo = demo
        self.seed = seed
        self._shop: asyncio.Task[None] | None = None
        self._ours: list[Ours] = []
        log_to_stderr(self.settings.log_level, as_json=as_json)

    def run(self) -> None:
        """Until a signal comes."""
        listening = listen(self.settings.host, self.settings.port)
        with ExitStack() as servers:
            uvloop.run(self._serve(self._served_by(servers), listening))

    def _served_by(self, servers: ExitStack) -> Settings:
        """The settings once the servers run that they name nobody for."""
        settings = self.settings
        if not settings.database_url:
            self._say(f"Starting PostgreSQL on {settings.data.absolute()} ...", event="starting")
            postgres = servers.enter_context(EmbeddedPostgres(settings.data))
            self._ours.append(postgres)
            settings = settings.model_copy(update={"database_url": SecretStr(postgres.conninfo())})
        if settings.feed is FeedKind.KAFKA and not settings.kafka_bootstrap:
            from infra.kafka.broker import EmbeddedKafka

            self._say("Starting Kafka ...", event="starting kafka")
            kafka = servers.enter_context(EmbeddedKafka(settings.data / "kafka", say=self._say))
            self._ours.append(kafka)
            settings = settings.model_copy(update={"kafka_bootstrap": kafka.bootstrap})
        return settings

    async def _serve(self, settings: Settings, listening: socket.socket) -> None:
        async with kept_running(self._ours), paid_in(settings, listening) as whole, running(whole) as system:
            server = Server(
                system.app,
                stop_within=settings.stop_seconds,
                longest_frame=settings.max_query_bytes,
                on_ready=lambda: self._announce(system, address_of(listening), sandbox_of(settings, whole)),
                on_stop=lambda: self._close(system),
            )
            garbage.settle()
            await server.serve_until_signal(listening)

    def _announce(self, system: System, address: str, sandbox: str | None) -> None:
        """The last line is what scripts wait for."""
        for name, path in system.pages.items():
            self._say(f"  {name:<16} {address}{path}")
        operator = {"email": self.settings.operator_email, "password": password_of(self.settings)}
        self._say(f"  first operator   {operator['email']}  password {operator['password']}")
        self._say(f"Chobo is ready at {address}", event="ready", address=address, operator=operator)
        if self.demo is not None:
            self._shop = asyncio.create_task(self._trade(address, self.demo, sandbox))

    def _close(self, system: System) -> None:
        system.stopping.set()
        if self._shop:
            self._shop.cancel()
        self._say("Stopping: finishing what is open ...", event="stopping")

    async def _trade(self, address: str, rate: float, sandbox: str | None) -> None:
        """Whatever happens in the sample shop, Chobo goes on."""
        from infra.cli.sample_shop import run

        try:
            await run(self.settings, address, rate, None, as_json=self.as_json, seed=self.seed, sandbox=sandbox)
        except Exception:
            log.exception("the sample shop has closed")

    def _say(self, sentence: str, **facts: Any) -> None:
        """To a reader who may have gone: Chobo goes on without one."""
        with suppress(BrokenPipeError):
            if not self.as_json:
                print(sentence, flush=True)
            elif facts:
                show_line(facts)


@asynccontextmanager
async def paid_in(settings: Settings, listening: socket.socket) -> AsyncIterator[Settings]:
    """The settings with a gateway to play with, unless they name one: it takes no real money, and keeps its state."""
    if settings.gateway_url is not None or settings.profile is Profile.PRODUCTION:
        yield settings
        return
    from infra.gateway.sandbox import SandboxGateway

    hooks = f"{address_of(listening)}/v1/webhooks/stripe"
    secret = settings.webhook_secrets()[0]
    async with SandboxGateway(settings.data / "gateway", webhook_url=hooks, secret=secret) as sandbox:
        yield settings.model_copy(update={"gateway_url": sandbox.address})


def sandbox_of(settings: Settings, whole: Settings) -> str | None:
    """The address of the gateway that was added to the settings; one that they name is not ours to disturb."""
    return whole.gateway_url if settings.gateway_url is None else None


def password_of(settings: Settings) -> str:
    return settings.operator_password.get_secret_value() if settings.operator_password else "(none)"


class Ours(Protocol):
    """A server that we start, and start again."""

    async def ended(self) -> int: ...
    async def restart(self) -> None: ...


@asynccontextmanager
async def kept_running(servers: Sequence[Ours]) -> AsyncIterator[None]:
    """Starts each server again whenever it ends by itself; what uses it connects again."""
    watchers = [asyncio.create_task(restart_whenever_it_ends(server)) for server in servers]
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()


async def restart_whenever_it_ends(server: Ours) -> None:
    name = type(server).__name__.removeprefix("Embedded")
    while True:
        code = await server.ended()
        log.warning("%s ended with %s; it is started again", name, code)
        try:
            await server.restart()
        except (PostgresFailed, KafkaFailed) as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            await asyncio.sleep(1)
