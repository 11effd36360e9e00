"""A shop with many sagas: its read models built by the process that does so, its dashboard as it is deployed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from pydantic import SecretStr

from bench.many_sagas import Shop, Teller, put_back, shared, write
from bench.report import progress
from bench.shop import opened_in
from bench.stories import CONTEXTS, Story, happened
from domain.ids import UserId, derive
from infra.assembly.ground import Ground, laid
from infra.assembly.replaying import replays
from infra.cli.installation import installation
from infra.contexts import CONTEXTS as EVERY
from infra.duties import Duty
from infra.embedded import EmbeddedPostgres
from infra.event_log.mapper import EventMapper
from infra.own_secrets import SECRETS
from infra.settings import Settings
from projections.generations import Generation, State
from projections.replay import Replays

SAGAS: Final = 10_000
PATIENCE: Final = 120.0  # seconds for read models to come up
CHOBO: Final = [sys.executable, "-c", "from infra.cli import main; main()"]

BEHIND: Final = """
SELECT coalesce(sum(greatest(e.head - c.floor, 0)), 0) FROM projections.generations g
JOIN projections.checkpoints c ON c.consumer = g.model || '@' || g.generation
JOIN ({heads}) e ON e.context = c.context
WHERE g.status = 'LIVE'
"""


@dataclass(frozen=True, slots=True)
class House:
    """The dashboard at `address`; `pid` is its process's, `postgres` that of the server of its `database`."""

    shop: Shop
    address: str
    pid: int
    postgres: int
    database: str
    email: str
    password: str


@contextmanager
def opened(sagas: int = SAGAS) -> Iterator[House]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        progress("a few orders are placed")
        with opened_in(folder, "memory") as running:
            stories = happened(running)
        postgres = stack.enter_context(EmbeddedPostgres(Path(folder)))
        settings = installation(data=Path(folder), port=0).model_copy(
            update={"database_url": SecretStr(postgres.conninfo())}
        )
        shop = asyncio.run(told(settings, stories, sagas))
        stack.enter_context(process(settings, "work", "projections"))
        caught_up(postgres.conninfo())
        asyncio.run(generations(settings))
        with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
        ready = stack.enter_context(process(settings, "serve", "dashboard"))
        assert postgres.pid is not None
        assert settings.operator_password is not None
        password = settings.operator_password.get_secret_value()
        yield House(
            shop, ready["address"], ready["pid"], postgres.pid, postgres.conninfo(), settings.operator_email, password
        )


async def told(settings: Settings, stories: Mapping[str, Story], sagas: int) -> Shop:
    progress(f"{sagas:,} sagas are told")
    async with AsyncExitStack() as stack:
        ground = await laid(settings, frozenset({Duty.PROJECTIONS}), EVERY, stack)
        conninfo, began = ground.databases.conninfo("sagas"), time.perf_counter()
        everybody = shared(conninfo)
        await ground.keys.prefetch(people(conninfo))
        put_back(conninfo, [context.name for context in EVERY])
        teller = Teller(stories, everybody, EventMapper(ground.keys), datetime.now(UTC), random.Random(1))
        shop = teller.shop(sagas, UserId(derive("first-operator", settings.operator_email)))
        counts = write(conninfo, shop.logs)
        progress(f"{dict(counts)} in {time.perf_counter() - began:.0f} s")
    return shop


def people(conninfo: str) -> list[UserId]:
    with psycopg.connect(conninfo) as connection:
        return [UserId(id) for (id,) in connection.execute("SELECT user_id FROM users.keys").fetchall()]


def caught_up(conninfo: str) -> None:
    began = time.monotonic()
    heads = " UNION ".join(
        f"SELECT '{name}' AS context, max(notification_id) AS head FROM {name}.stored_events"
        for name in (*CONTEXTS, "operations")
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while (connection.execute(BEHIND.format(heads=heads).encode()).fetchone() or (1,))[0]:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError("read models do not come up with their logs")
            time.sleep(0.2)
    progress(f"read models are up in {time.monotonic() - began:.0f} s")


async def generations(settings: Settings) -> None:
    """Of one model two that readers could be led back from and to, of another one that is built, of a third none."""
    async with AsyncExitStack() as stack:
        ground: Ground = await laid(settings, frozenset({Duty.PROJECTIONS}), EVERY, stack)
        desk = replays(ground)
        users, payments, products = [await desk.start(name) for name in ("users", "payments", "products")]
        await desk.switch(await built(desk, users), force=True)
        await desk.compare(await built(desk, payments))
        await desk.cancel(await built(desk, products))


async def built(desk: Replays, generation: Generation) -> Generation:
    async with asyncio.timeout(PATIENCE):
        while generation.status is State.BUILDING:
            await asyncio.sleep(0.2)
            generation = await desk.generation(generation.model, generation.generation)
    return generation


@contextmanager
def process(settings: Settings, *what: str) -> Iterator[dict[str, Any]]:
    """`chobo` with these arguments: what it says when it is ready, and its pid."""
    assert settings.database_url is not None
    mine = {f"CHOBO_{name.upper()}": getattr(settings, name).get_secret_value() for name in SECRETS}
    mine |= {"CHOBO_PROFILE": "development", "CHOBO_LOG_LEVEL": "error", "CHOBO_RATE_LIMITS": "1000"}
    mine |= {"CHOBO_DATABASE_URL": settings.database_url.get_secret_value()}
    command = [*CHOBO, *what, "--port", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | mine)
    try:
        assert running.stdout
        yield json.loads(running.stdout.readline()) | {"pid": running.pid}
    finally:
        running.terminate()
        running.communicate()
