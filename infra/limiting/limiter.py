"""Counts requests in this process at once, and brings the counts of all processes together a few times a second.

A request costs no round trip: it is decided on the bucket as this process knows it. What was used since the last time
is told in one statement, which answers with what all processes have let through. So each may let through a little that
the others do not know of yet; it is bounded by asking first

- where more than `ahead` requests (a twentieth of the allowance, at least one) have not been answered yet, and
- where a bucket that was not asked for lately looks more than half empty.

With P processes a principal gets at most P x `ahead` requests more than its allowance, whatever it sends and to whom;
one process alone keeps to it exactly. While the database is away, or answers later than PATIENCE, each process goes on
with what it knows: then the allowance is what each gives by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from typing import Final, Protocol
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout
from starlette.types import Scope

from commands.limits import Admission, Headers, Limit
from domain.actor import Actor
from infra.limiting.address import Addresses
from infra.limiting.bucket import SECOND, Bucket, share, whole
from infra.limiting.shared import Answer, Told
from infra.telemetry import Metrics

INTERVAL: Final = 0.2  # seconds between two exchanges of what is used all the time
AGAIN: Final = 1.0  # seconds until the next try while the database is away
PATIENCE: Final = 0.25  # seconds that a request waits for the others' counts
LATELY: Final = SECOND  # microseconds
SWEEP: Final = 30.0  # seconds
MOST_BUCKETS: Final = 50_000
"""Beyond it the oldest are forgotten, and with them what they had to tell: some 20 MB."""

Key = tuple[str, UUID | str]  # class of routes, user or address
AWAY: Final = (psycopg.Error, PoolTimeout, OSError)

log = logging.getLogger("chobo.limits")


class Shared(Protocol):
    """The buckets of all processes. Everything raises one of AWAY."""

    async def now(self) -> int: ...
    async def exchange(self, told: list[Told]) -> Answer: ...
    async def prune(self) -> None: ...


def ticks() -> int:
    return time.monotonic_ns() // 1000


class SharedLimiter:
    """A `Limiter`, while `run` runs. `scale` multiplies every allowance; `secret` hides addresses in the table.

    `ticks` are microseconds of a clock that never goes back; by the database's answers it becomes the database's.
    """

    def __init__(
        self,
        shared: Shared,
        addresses: Addresses,
        metrics: Metrics,
        *,
        secret: bytes,
        scale: float = 1.0,
        ticks: Callable[[], int] = ticks,
        most: int = MOST_BUCKETS,
    ) -> None:
        self._shared = shared
        self._addresses = addresses
        self._metrics = metrics
        self._secret = blake2b(secret).digest()
        self._scale = scale
        self._ticks = ticks
        self._most = most
        self._offset = time.time_ns() // 1000 - ticks()
        self._buckets: dict[Key, Bucket] = {}
        self._used: dict[Key, Bucket] = {}
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()
        self._news = asyncio.Event()
        self._away = False

    def __len__(self) -> int:
        return len(self._buckets)

    async def admit(self, limit: Limit, actor: Actor, scope: Scope, cost: int = 1) -> Admission | None:
        if (unscaled := limit.of(actor)) is None:
            return None
        allowed = max(1, round(unscaled * self._scale))
        key = limit.name, actor.id or self._addresses.of(scope)
        bucket = self._bucket(key)
        if self._asks(bucket, allowed, cost):
            await self._ask(key, allowed, cost)
            bucket = self._bucket(key)
        return self._decided(limit, key, bucket, allowed, cost)

    def _decided(self, limit: Limit, key: Key, bucket: Bucket, allowed: int, cost: int) -> Admission:
        now = self._now()
        if wait := bucket.wait(allowed, now, cost):
            self._metrics.rate_limited.labels(limit.name).inc()
        else:
            bucket.take(allowed, now, cost)
            self._use(key, bucket)
        left = f'"{limit.name}";r={bucket.left(allowed, now)};t={seconds(bucket.lacks(now))}'
        headers: Headers = [policy(limit.name, allowed), (b"ratelimit", left.encode())]
        return Admission(limit.name, allowed, seconds(wait), headers)

    def _now(self) -> int:
        return self._ticks() + self._offset

    def _bucket(self, key: Key) -> Bucket:
        if (bucket := self._buckets.get(key)) is None:
            bucket = self._buckets[key] = Bucket()
            if len(self._buckets) > self._most:
                oldest = next(iter(self._buckets))
                del self._buckets[oldest]
                self._used.pop(oldest, None)
        return bucket

    def _use(self, key: Key, bucket: Bucket) -> None:
        self._used[key] = bucket
        self._some.set()

    # -- asking the others first

    def _asks(self, bucket: Bucket, allowed: int, cost: int) -> bool:
        """Whether others may know better. What is refused here already they would not allow either."""
        now = self._now()
        if self._away or bucket.wait(allowed, now, cost):
            return False
        unanswered = (bucket.taken + bucket.sent) // share(allowed)
        if unanswered and unanswered + cost > ahead(allowed):
            return True
        return now - bucket.answered_at > LATELY and 2 * bucket.lacks(now) > whole(allowed)

    async def _ask(self, key: Key, allowed: int, cost: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._asks(bucket := self._bucket(key), allowed, cost):
                    self._use(key, bucket)
                    self._urgent.set()
                    await self._news.wait()

    # -- the exchange

    async def run(self) -> None:
        """Until cancelled."""
        await self._set_clock()
        swept = self._ticks()
        while True:
            await self._some.wait()
            await self._pause()
            await self.exchange()
            if self._ticks() - swept > SWEEP * SECOND:
                swept = self._ticks()
                await self.sweep()

    async def exchange(self) -> None:
        """Tells what was used here, and learns what others have let through of it."""
        used, self._used = self._used, {}
        self._some.clear()
        self._urgent.clear()
        sent = {self._digest(key): (key, bucket, *bucket.send()) for key, bucket in used.items()}
        try:
            answer = await self._shared.exchange([Told(digest, *told) for digest, (_, _, *told) in sent.items()])
        except AWAY as error:
            for key, bucket, since, _ in sent.values():
                bucket.unsend(since)
                self._use(key, bucket)
            self._lost(error)
        else:
            self._found(answer.now)
            for digest, (_, bucket, *_) in sent.items():
                bucket.answer(answer.full_at[digest], answer.now)
        finally:
            self._tell_who_waits()

    async def sweep(self) -> None:
        """Forgets what is whole: it is as good as never used."""
        now = self._now()
        idle = [k for k, b in self._buckets.items() if k not in self._used and not b.sent and not b.lacks(now)]
        for key in idle:
            del self._buckets[key]
        try:
            await self._shared.prune()
        except AWAY as error:
            self._lost(error)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN if self._away else INTERVAL):
                await self._urgent.wait()

    async def _set_clock(self) -> None:
        try:
            self._found(await self._shared.now())
        except AWAY as error:
            self._lost(error)

    def _digest(self, key: Key) -> UUID:
        name, principal = key
        return UUID(bytes=blake2b(f"{name}|{principal}".encode(), key=self._secret, digest_size=16).digest())

    def _tell_who_waits(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _found(self, now: int) -> None:
        self._offset = now - self._ticks()
        if self._away:
            self._away = False
            log.info("rate limits are shared with other processes again")

    def _lost(self, error: Exception) -> None:
        self._metrics.limit_failures.inc()
        if not self._away:
            self._away = True
            log.warning("rate limits are not shared, this process counts alone: %s", error or type(error).__name__)


def ahead(allowed: int) -> int:
    """How many requests a process lets through that it has no answer about."""
    return max(1, allowed // 20)


def seconds(microseconds: int) -> int:
    """Whole ones, rounded up."""
    return -(-microseconds // SECOND)


@cache
def policy(name: str, allowed: int) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", f'"{name}";q={allowed};w=60'.encode()
