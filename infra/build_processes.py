"""Builds of generations in processes of their own, so that they neither share nor hold up the loop of this one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from infra.settings import Settings
from projections.generations import Generation

SMALL: Final = 20_000  # events; so few are built before a process would have started

log = logging.getLogger(__name__)


class BuildProcesses:
    """`here` builds in this process what is small. The processes end with this one, whatever ends it."""

    def __init__(self, settings: Settings, here: Callable[[Generation], Awaitable[None]]) -> None:
        self._settings = settings
        self._here = here

    async def build(self, generation: Generation) -> None:
        """Until it is built or nobody wants it any more."""
        if sum((generation.ends or {}).values()) <= SMALL:
            await self._here(generation)
            return
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.replay_processes):
                group.create_task(self._process(generation))

    async def _process(self, generation: Generation) -> None:
        """Settings, secrets too, go through a pipe that the child also watches: it is closed when this process ends."""
        command = [sys.executable, "-m", "infra.build_process", generation.model, str(generation.generation)]
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        assert process.stdin is not None
        try:
            process.stdin.write(pickle.dumps(self._settings))
            await process.stdin.drain()
            code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
        if code:
            raise BuildFailed(generation.name, code)


class BuildFailed(Exception):
    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"a process that built {name} ended with {code}; what it has done is kept")
