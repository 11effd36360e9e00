"""Callers that send one command after another to a write loop, and what they met."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from bench.counter import CountUp
from bench.report import percentile
from commands.loop import WriteLoop
from commands.reply import Envelope, Key
from domain.actor import ANONYMOUS
from domain.ids import new_id

NOTE = "x" * 100  # makes a stored state of about 150 bytes, as pgbench writes


@dataclass(frozen=True, slots=True)
class Met:
    """`rate` in commands a second, latencies in seconds."""

    rate: float
    latencies: list[float]

    @property
    def p50(self) -> float:
        return percentile(self.latencies, 0.5)

    @property
    def p99(self) -> float:
        return percentile(self.latencies, 0.99)

    @property
    def maximum(self) -> float:
        return max(self.latencies)


def count_up(target: UUID, keyed: bool, correlation_id: str = "corr") -> Envelope:
    key = Key(new_id(), b"d" * 32, None) if keyed else None
    return Envelope(CountUp(note=NOTE).bind(by=ANONYMOUS, target=target), correlation_id, key=key)


async def call(
    loop: WriteLoop,
    callers: int,
    seconds: float,
    target: Callable[[int, int], UUID],
    *,
    keyed: bool = False,
    ended: list[tuple[float, float]] | None = None,
) -> Met:
    """`target(caller, n)` names the aggregate of a caller's nth command. Nothing is left out as warm-up.

    `ended` is given (time of day, latency) of every command, in seconds.
    """
    latencies: list[float] = []
    stop = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        n, correlation_id = 0, str(new_id())
        while (began := time.perf_counter()) < stop:
            await loop.submit(count_up(target(number, n), keyed, correlation_id))
            latencies.append(time.perf_counter() - began)
            if ended is not None:
                ended.append((time.time(), latencies[-1]))
            n += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return Met(len(latencies) / (time.perf_counter() - began), latencies)
