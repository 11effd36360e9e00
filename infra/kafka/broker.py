"""A real Kafka broker as a child process, for `chobo up --kafka`, tests and benchmarks: one node, loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal as signals
import socket
import struct
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from infra.embedded.programs import Account, Child, spawn
from infra.kafka.jars import KafkaFailed, jars, java

HOST: Final = "127.0.0.1"
START_WITHIN: Final = 120.0
"""Seconds that a start may take; recovery after a crash reads every open segment."""
STOP_WITHIN: Final = 30.0
LOG_LIMIT: Final = 10_000_000
MEMORY: Final = ("-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""340 MB in all; a broker for one machine gains nothing from the second compiler."""

SETTINGS: Final[dict[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "broker.session.timeout.ms": "1500",  # so long a start waits for a killed predecessor to be given up
    "broker.heartbeat.interval.ms": "500",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",  # who misspells a topic shall be told
    "log.flush.interval.messages": "9223372036854775807",  # the log of record is PostgreSQL's
}


class EmbeddedKafka:
    """A broker on the data directory `data`. Start it from the main thread: on Linux it ends when that thread does.

    The port is chosen at the first start and kept as long as this object lives. `say` is told what takes long.
    """

    def __init__(
        self,
        data: Path,
        *,
        settings: Mapping[str, str] | None = None,
        cache: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data = data.absolute()
        self.log = self.data / "broker.log"
        self._settings = SETTINGS | dict(settings or {})
        self._cache = cache
        self._say = say
        self._watch = "signal" if sys.platform == "linux" else "pipe"
        self._ports: tuple[int, int] | None = None
        self._child: Child | None = None
        self._program: list[str] = []
        self._began = 0.0

    @property
    def bootstrap(self) -> str:
        """The address for clients, once it was started."""
        if self._ports is None:
            raise RuntimeError("the broker has no address before its first start")
        return f"{HOST}:{self._ports[0]}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Returns when requests are answered. Raises KafkaFailed."""
        self._begin()
        while not self._is_up():
            time.sleep(0.02)

    async def restart(self) -> None:
        """Starts it again after it ended, without holding up the event loop."""
        self._begin()
        while not self._is_up():
            await asyncio.sleep(0.02)

    async def ended(self) -> int:
        """Waits until the broker ends, whoever ended it; its exit code."""
        while (code := self._exit_code()) is None:
            await asyncio.sleep(0.2)
        return code

    def stop(self) -> None:
        """Ends the broker in order. Harmless when it does not run."""
        self._end(signals.SIGTERM)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end(signals.SIGKILL)

    def signal(self, what: signals.Signals) -> None:
        """As an operator would. The broker must run."""
        if self._child is None:
            raise RuntimeError(f"Kafka on {self.data} does not run")
        self._child.send_signal(what)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self) -> None:
        if self._exit_code() is None:
            raise RuntimeError(f"Kafka on {self.data} runs already")
        self._began = time.monotonic()
        self._prepare()
        self._child = self._spawned(self._program)

    def _prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        run = [java(), *MEMORY, "-cp", f"{jars(self._cache, self._say)}/*"]
        self._ports = self._ports or (free_port(), free_port())
        properties = self._write_properties(*self._ports)
        if not (self.data / "logs" / "meta.properties").exists():
            self._format(run, properties)
        self._program = [*run, "kafka.Kafka", str(properties)]

    def _write_properties(self, port: int, controller: int) -> Path:
        own = {
            "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "log.dirs": str(self.data / "logs"),
        }
        path = self.data / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in (self._settings | own).items()))
        return path

    def _format(self, run: list[str], properties: Path) -> None:
        cluster = urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        tool = [*run, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(properties)]
        if self._spawned(tool).wait() != 0:
            raise KafkaFailed(f"Kafka's files could not be made in {self.data}:\n{complaints(self.log)}")

    def _spawned(self, program: list[str]) -> Child:
        return spawn(program, Account(), self.log, watch=self._watch)

    def _is_up(self) -> bool:
        """One look. Raises KafkaFailed when it will never be."""
        if self._exit_code() is not None:
            self._child = None
            raise KafkaFailed(f"Kafka on {self.data} did not come up:\n{complaints(self.log)}")
        if self._ports is not None and answers(HOST, self._ports[0]):
            return True
        if time.monotonic() - self._began > START_WITHIN:
            self.kill()
            raise KafkaFailed(f"Kafka on {self.data} was not up after {START_WITHIN:.0f} s:\n{complaints(self.log)}")
        return False

    def _exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.poll() if self._child else 0

    def _end(self, how: signals.Signals) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(how)
        try:
            child.wait(timeout=STOP_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin:
            child.stdin.close()


def complaints(log: Path) -> str:
    """The last lines of a broker's log that are not part of a Java stack."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([line for line in lines if not line.startswith(("\tat ", "\t... ", "SLF4J"))][-8:])


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def answers(host: str, port: int) -> bool:
    """Whether a broker there answers the first question of every client: which requests it knows."""
    question = struct.pack("!hhih", 18, 0, 1, -1)
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1) as connection:
        connection.sendall(struct.pack("!i", len(question)) + question)
        return len(connection.recv(8)) == 8
    return False
