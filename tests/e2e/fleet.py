"""Chobo as separate processes, as they are deployed: started, killed, started again, and looked at from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.eventually import eventually
from tests.infra.cli.process import CHOBO, chobo

ROOT: Final = Path(__file__).parents[2]


class Process:
    """`chobo` with these arguments, again and again. What it writes to its standard error is kept in `log`."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self.address = ""  # not known yet
        self.starts = 0
        self._command = [str(CHOBO), *arguments, "--host", "127.0.0.1", "--port", "0"]
        self._environment = environment
        self._running: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None

    def begin(self) -> None:
        """Does not wait until it is ready: see `settled`."""
        self.address = ""
        self._errors = self.log.open("a")
        self._running = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=dict(self._environment)
        )
        self.starts += 1

    def settled(self) -> Process:
        """Once it says where it listens."""
        assert self._running
        assert self._running.stdout
        line = self._running.stdout.readline()
        assert line, f"{self.name} did not come up:\n{self.last_words()}"
        self.address = json.loads(line)["address"]
        return self

    def start(self) -> Process:
        self.begin()
        return self.settled()

    @property
    def is_ready(self) -> bool:
        return httpx.get(f"{self.address}/readyz", timeout=10).status_code == 200

    def metrics(self) -> str:
        return httpx.get(f"{self.address}/metrics", timeout=10).text

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """In order; its exit code."""
        return self._end(signal.SIGTERM)

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def last_words(self) -> str:
        return self.log.read_text()[-3000:]

    def _end(self, how: signal.Signals) -> int:
        process, self._running = self._running, None
        if process is None:
            return 0
        process.send_signal(how)
        code = process.wait(timeout=60)
        assert process.stdout
        process.stdout.close()
        if self._errors:
            self._errors.close()
        return code


class Fleet:
    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment = {**clean(os.environ), "CHOBO_RATE_LIMITS": "0", **environment}
        self.processes: dict[str, Process] = {}
        self._logs = logs

    def add(self, name: str, *arguments: str) -> Process:
        self.processes[name] = Process(name, arguments, self.environment, self._logs)
        return self.processes[name]

    def start(self) -> None:
        """All at once, whoever comes first: that is how an orchestrator does it."""
        for process in self.processes.values():
            process.begin()
        for process in self.processes.values():
            process.settled()

    def __getitem__(self, name: str) -> Process:
        return self.processes[name]

    def chobo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the CLI with the settings of all."""
        return chobo(*arguments, **self.environment)

    def wait_until_applied(self, looked_at: Process, within: float = 60) -> None:
        """Until no read model has anything left to apply."""
        eventually(lambda: behind(looked_at.metrics()) == 0, within)

    def stop(self) -> dict[str, int]:
        return {name: process.stop() for name, process in self.processes.items()}


def behind(metrics: str) -> float:
    """Events that read models have not applied yet: `orders@1` and the like."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "chobo_consumer_behind_events" and "@" in sample.labels["consumer"]
    )


@contextmanager
def fleet(environment: Mapping[str, str], logs: Path) -> Iterator[Fleet]:
    """Whatever happens, none of its processes outlives it. What they logged is shown when a test fails."""
    processes = Fleet(environment, logs)
    try:
        yield processes
    except BaseException:
        for process in processes.processes.values():
            print(f"--- {process.name}, started {process.starts} times\n{process.last_words()}", file=sys.stderr)
        raise
    finally:
        for process in processes.processes.values():
            process.kill()


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the settings of whoever runs the tests."""
    return {name: value for name, value in environment.items() if not name.startswith("CHOBO_")}


def environment_file() -> dict[str, str]:
    """What docker-compose.yml gives to every process."""
    lines = (ROOT / "deploy" / "development.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
