"""What every part of a process stands on: databases with their schemas, keys, wake-ups."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from psycopg import AsyncConnection
from starlette.routing import BaseRoute

from commands.limits import Limiter, Unlimited
from commands.payments.gateway import Gateway
from domain import users
from domain.aggregate import Context
from infra.databases import READS, Databases
from infra.duties import LOGS, READ_MODELS, Duty
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.health import Check
from infra.keys import PersonalKeys, migrate_keys
from infra.limiting import Addresses, SharedBuckets, SharedLimiter, networks
from infra.settings import Settings
from infra.telemetry import Telemetry
from infra.telemetry.probes import pools
from infra.telemetry.telemetry import telemetry
from projections.alarm import Alarm
from projections.bell import CHANNEL, Bell
from projections.models import MODELS
from projections.schema import prepare
from projections.waiting import Watch


@dataclass
class Ground:
    """`contexts` are those whose logs this process uses. Parts add to `checks` and `routes` what is served of them.

    What is put on `stack` is stopped in reverse order when the process ends. `stopping` is set before that, when no new
    requests come any more: who waits for something then gives up.
    """

    settings: Settings
    duties: frozenset[Duty]
    contexts: Sequence[Context]
    databases: Databases
    wakeups: Mapping[str, Wakeups]
    telemetry: Telemetry
    stack: AsyncExitStack
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    given_gateway: Gateway | None = None
    checks: dict[str, Check] = field(default_factory=dict)
    routes: list[BaseRoute] = field(default_factory=list)

    @cached_property
    def keys(self) -> PersonalKeys:
        return PersonalKeys(self.databases.pool(users.CONTEXT.name), self.settings.master_key_bytes())

    @cached_property
    def readers(self) -> dict[str, LogReader]:
        """By context."""
        return {c.name: LogReader(self.databases.pool(c.name), c.name, self.keys) for c in self.contexts}

    @cached_property
    def feeds(self) -> dict[str, StoreFeed]:
        """By context."""
        return {name: StoreFeed(reader, self.wakeups[name]) for name, reader in self.readers.items()}

    @cached_property
    def gateway(self) -> Gateway:
        """That which was given, else as the settings say: its library is imported only where payments are made."""
        if self.given_gateway is not None:
            return self.given_gateway
        from infra.gateway.chosen import gateway

        made = gateway(self.settings)
        self.stack.push_async_callback(made.close)
        return made

    @cached_property
    def watch(self) -> Watch:
        return Watch(self.databases.pool(READS))

    @cached_property
    def changed(self) -> Alarm:
        """Rings when rows of read models have changed."""
        return Alarm(self.databases.conninfo(READS), CHANNEL)

    @cached_property
    def bell(self) -> Bell:
        """Tells other processes that rows have changed."""
        bell = Bell(self.databases.pool(READS))
        self.background(bell.run())
        return bell

    @cached_property
    def limiter(self) -> Limiter:
        """One for everything that this process serves."""
        settings = self.settings
        if not settings.rate_limits:
            return Unlimited()
        limiter = SharedLimiter(
            SharedBuckets(self.databases.pool(READS)),
            Addresses(networks(settings.trusted_proxies)),
            self.telemetry.metrics,
            secret=settings.claim_secret.get_secret_value().encode(),
            scale=settings.rate_limits,
        )
        self.background(limiter.run())
        return limiter

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs until the process stops."""
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task})

        self.stack.push_async_callback(end)


async def laid(
    settings: Settings,
    duties: frozenset[Duty],
    contexts: Sequence[Context],
    stack: AsyncExitStack,
    told: Telemetry | None = None,
    gateway: Gateway | None = None,
) -> Ground:
    """The databases these duties need, migrated and open. Any number of processes may do this at once."""
    contexts = contexts if duties & LOGS else ()
    databases = Databases(settings, [c.name for c in contexts], reads=bool(duties & READ_MODELS))
    await migrated(databases)
    await stack.enter_async_context(databases)
    told = told or telemetry(settings, duties)
    stack.push_async_callback(told.close)
    told.metrics.probe("pools", pools(databases.named()))
    wakeups = await woken(databases, stack)
    return Ground(
        settings, duties, contexts, databases, wakeups, told, stack, given_gateway=gateway, checks=databases.checks()
    )


async def migrated(databases: Databases) -> None:
    """Every schema as this release wants it; safe in many processes at once."""
    for conninfo, names in databases.by_conninfo(databases.contexts).items():
        await migrate(conninfo, names)
    if users.CONTEXT.name in databases.contexts:
        conninfo = databases.conninfo(users.CONTEXT.name)
        async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await migrate_keys(connection)
    if databases.reads:
        await prepare(databases.conninfo(READS), MODELS)


async def woken(databases: Databases, stack: AsyncExitStack) -> dict[str, Wakeups]:
    """By context; contexts of one database share one."""
    wakeups: dict[str, Wakeups] = {}
    for conninfo, names in databases.by_conninfo(databases.contexts).items():
        shared = Wakeups(conninfo, databases.pool(names[0]), names)
        shared.open()
        stack.push_async_callback(shared.close)
        wakeups |= dict.fromkeys(names, shared)
    return wakeups
