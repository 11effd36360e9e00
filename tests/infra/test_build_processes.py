"""Large generations are built in processes of their own, which end with the one that started them."""

from __future__ import annotations

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import Random

import psutil
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from infra import build_processes
from infra.assembly.ground import Ground, laid
from infra.assembly.replaying import builder, replays
from infra.build_processes import BuildProcesses
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.duties import Duty
from infra.event_log.mapper import EventMapper
from infra.settings import Profile, Settings
from projections.build import _locked
from projections.generations import State
from tests.domain.orders.samples import CUSTOMER
from tests.eventually import eventually
from tests.projections.replaying import a_shop, rows, some_events


@pytest.fixture
async def ground(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    monkeypatch.setattr(build_processes, "SMALL", 0)
    settings = Settings(profile=Profile.DEVELOPMENT, database_url=SecretStr(database), log_level="warning")
    async with AsyncExitStack() as stack:
        yield await laid(settings, frozenset({Duty.PROJECTIONS}), CONTEXTS, stack)


def children() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [p for p in found if "infra.build_process" in " ".join(p.cmdline())]


async def test_what_is_large_is_built_by_processes(ground: Ground, database: str) -> None:
    await ground.keys.create(CUSTOMER)
    await ground.keys.prefetch([CUSTOMER])
    async with a_shop(database) as shop:
        shop.mapper = EventMapper(ground.keys)
        head = await shop.append(some_events(30, Random(1)))
    generation = await replays(ground).start("orders")
    assert generation.ends == {"orders": head}
    await BuildProcesses(ground.settings, builder(ground).build).build(generation)
    assert (await replays(ground).generation("orders", 2)).status is State.READY
    assert len(await rows(ground.databases.pool(READS), generation.schema)) == 30
    assert children() == []


async def test_they_end_when_the_build_is_given_up(ground: Ground, database: str) -> None:
    async with a_shop(database) as shop:
        await shop.append(some_events(30, Random(1)))
    generation = await replays(ground).start("orders")
    building = asyncio.create_task(BuildProcesses(ground.settings, builder(ground).build).build(generation))
    while len(children()) < 2:
        await asyncio.sleep(0.01)
    building.cancel()
    await asyncio.wait({building})
    assert children() == []


PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
child.stdin.write(sys.stdin.buffer.read())
child.stdin.flush()
print(child.pid, flush=True)
child.wait()
"""


async def tries_to_lock(connection: AsyncConnection[TupleRow]) -> bool:
    """Somebody else has asked for a part."""
    found = await connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock(hash%'"
        " AND pid <> pg_backend_pid() AND datname = current_database()"
    )
    return await found.fetchone() != (0,)


async def test_they_end_with_a_parent_that_is_killed(ground: Ground, database: str) -> None:
    """The system closes its end of the pipe. Somebody else has all parts, so there is nothing to do but to wait."""
    async with a_shop(database) as shop:
        await shop.append(some_events(30, Random(1)))
    generation = await replays(ground).start("orders")
    async with await AsyncConnection.connect(database, autocommit=True) as locks:
        for part in range(generation.parts):
            assert await _locked(locks, generation, f"orders/{part}")
        command = [sys.executable, "-c", PARENT, sys.executable, "-m", "infra.build_process", "orders", "2"]
        parent = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        assert parent.stdin
        assert parent.stdout
        parent.stdin.write(pickle.dumps(ground.settings))
        parent.stdin.close()
        child = psutil.Process(int(await parent.stdout.readline()))
        while not await tries_to_lock(locks):
            await asyncio.sleep(0.01)
        parent.kill()
        await parent.wait()
        await asyncio.to_thread(eventually, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
