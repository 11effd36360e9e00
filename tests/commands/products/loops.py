"""Write loops of this context on a real log, in this process and in others."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from bench.server import NoKeys
from commands.loop import WriteLoop
from commands.message import Command
from commands.products.handlers import HANDLERS
from commands.reply import Envelope, Reply
from domain.products import CONTEXT
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate
from tests.commands.products.desk import STAFF

SOON = 0.005  # seconds: enough for both processes to have read what they are to do


@asynccontextmanager
async def products_loop(conninfo: str) -> AsyncIterator[WriteLoop]:
    await migrate(conninfo, [CONTEXT.name])
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=4, kwargs={"autocommit": True}, open=False) as pool:
        log = EventLog(conninfo, pool, CONTEXT, NoKeys())
        await log.open()
        loop = WriteLoop(CONTEXT, HANDLERS, log)
        try:
            yield loop
        finally:
            await loop.close()
            await log.close()


async def submit(loop: WriteLoop, command: Command, target: UUID | None = None) -> Reply:
    return await loop.submit(Envelope(command.bind(by=STAFF, target=target), "test"))


class Process:
    """A process of its own with a write loop: see `worker.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        answer = await self._process.stdout.readline()
        return json.loads(answer)

    async def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        assert await self._process.wait() == 0


@asynccontextmanager
async def process(conninfo: str) -> AsyncIterator[Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.commands.products.worker",
        conninfo,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        assert started.stdout
        assert await started.stdout.readline() == b"ready\n"
        worker = Process(started)
        yield worker
        await worker.stop()
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


def said(command: Command, target: UUID | None = None) -> dict[str, Any]:
    """The command as a process is told."""
    body = command.model_dump(mode="json", by_alias=True)
    return {"kind": type(command).__name__, "target": target and str(target), "body": body}


async def race(one: Process, other: Process, mine: dict[str, Any], yours: dict[str, Any]) -> list[dict[str, Any]]:
    """Both carry out their command at the same moment. What each was answered."""
    at = time.monotonic() + SOON
    return list(await asyncio.gather(one.ask({"at": at, "do": mine}), other.ask({"at": at, "do": yours})))
