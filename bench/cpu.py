"""Processor time of a running shop: on a machine that others use too it says more than the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import clock_gettime_ns
from typing import NamedTuple, Protocol, Self

TICK = os.sysconf("SC_CLK_TCK")


class Running(Protocol):
    """A process of ours, and the server of its database."""

    @property
    def pid(self) -> int: ...
    @property
    def postgres(self) -> int: ...


class Cpu(NamedTuple):
    """Seconds, of our process and of PostgreSQL's."""

    python: float
    postgres: float

    def __sub__(self, other: Self) -> Cpu:
        return Cpu(self.python - other.python, self.postgres - other.postgres)

    def plus(self, other: Self) -> Cpu:
        return Cpu(self.python + other.python, self.postgres + other.postgres)


def used(shop: Running) -> Cpu:
    """So far. What a backend used that has ended is its parent's: waited for, it is counted there."""
    return Cpu(seconds(shop.pid), sum(seconds(pid) for pid in family(shop.postgres)))


def family(pid: int) -> Iterator[int]:
    """The children first: of one that ends meanwhile the parent knows."""
    yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    yield pid


def seconds(pid: int) -> float:
    """With those of children that were waited for; none of a process that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def precisely(running: Running) -> Cpu:
    """So far, to the microsecond, for what takes less than a tick; of backends only those that live."""
    return Cpu(clock_of(running.pid), sum(clock_of(pid) for pid in family(running.postgres)))


def clock_of(pid: int) -> float:
    """The processor clock of another process, which Linux numbers like this (clock_getcpuclockid)."""
    try:
        return clock_gettime_ns(~pid << 3 | 2) / 1e9
    except OSError:
        return 0.0
