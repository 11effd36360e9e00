"""`chobo` as a person starts it: a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHOBO = Path(sys.executable).with_name("chobo")


def chobo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return chobo_within(120, *arguments, **environment)


def chobo_within(seconds: float, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, env = [str(CHOBO), *arguments], os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=seconds)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


class Up:
    """A running `chobo up`."""

    def __init__(self, process: subprocess.Popen[str], said: Iterator[dict[str, Any]]) -> None:
        self.process = process
        self.said = said
        self.ready = next(line for line in said if line["event"] == "ready")
        self.address: str = self.ready["address"]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def running(data: Path, *flags: str) -> Iterator[Up]:
    """`chobo up --json` on a free port, ready."""
    command = [str(CHOBO), "up", "--json", "--port", "0", "--data", str(data), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Up(process, (json.loads(line) for line in process.stdout))
        finally:
            if process.poll() is None:
                process.terminate()
