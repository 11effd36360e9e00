"""How a command of the CLI has something done: it records the request, and waits for what a worker makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from commands.loop import WriteLoop
from commands.message import Command
from commands.operations.handlers import HANDLERS
from commands.operations.messages import (
    BeginOperation,
    CompleteOperation,
    EndWithoutEffect,
    FailOperation,
    RequestOperation,
)
from commands.reply import Envelope
from domain.actor import service
from domain.ids import OperationId, new_id
from domain.operations import CONTEXT
from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation, Status
from infra.cli.databases import opened
from infra.databases import READS, Databases
from infra.event_log.log import EventLog
from infra.event_log.reader import LogReader
from infra.event_log.wakeups import Wakeups
from infra.keys import PersonalKeys
from infra.operations import NothingToDo
from infra.settings import Settings
from projections.asking import begin
from projections.folding import told
from projections.pool import Pool, connected

BY: Final = service("cli")
LOOK: Final = 0.1  # seconds between looks for the outcome
TAKEN_WITHIN: Final = 10.0  # seconds in which a worker takes the request, if one runs
ENDED_WITHIN: Final = 120.0  # seconds in which it is expected to have an outcome

TAKEN: Final = "SELECT attempt, worker, last_error FROM projections.todo WHERE subject = %s"


class OperationRefused(Exception):
    """It could not be done, or there was nothing to do; the text says why."""


class NoWorker(Exception):
    def __init__(self, id: OperationId) -> None:
        super().__init__(
            f"operation {id} is requested, but no worker has taken it within {TAKEN_WITHIN:g} s;"
            " it stays requested until one runs: `chobo work todo`, or `chobo up`"
        )


class StillUnderWay(Exception):
    def __init__(self, id: OperationId, last_error: str | None) -> None:
        tried = f"; the last try ended with: {last_error}" if last_error else ""
        super().__init__(f"operation {id} is still under way after {ENDED_WITHIN:g} s{tried}; see `chobo audit {id}`")


class Operations:
    """Requests operations for whoever sits at the command line, which is `service:cli`."""

    def __init__(self, loop: WriteLoop, reads: Pool) -> None:
        self._loop = loop
        self._reads = reads

    async def request(
        self, kind: OperationKind, target: str, parameters: Facts, reason: str, *, id: OperationId | None = None
    ) -> Facts:
        """What came of it. Raises OperationRefused, NoWorker, StillUnderWay."""
        id = id or OperationId(new_id())
        command = RequestOperation(id=id, kind=kind, subject=target, parameters=parameters, reason=reason)
        await self._tell(command, id)
        return result_of(await self._outcome(id))

    @asynccontextmanager
    async def carried_out(
        self, kind: OperationKind, target: str, parameters: Facts, reason: str
    ) -> AsyncIterator[Facts]:
        """Records what the caller does inside of it; what is put into the yielded dictionary is the result.

        NothingToDo ends it without effect, whatever else is raised as failed; both go on.
        """
        id = OperationId(new_id())
        begun = BeginOperation(id=id, kind=kind, subject=target, parameters=parameters, reason=reason)
        await self._tell(begun, id)
        result: Facts = {}
        try:
            yield result
        except NothingToDo as nothing:
            await self._tell(EndWithoutEffect(why=str(nothing)), id)
            raise
        except BaseException as error:
            why = told(error) if isinstance(error, Exception) else type(error).__name__
            await self._tell(FailOperation(error=why), id)
            raise
        await self._tell(CompleteOperation(result=result), id)

    async def _tell(self, command: Command, id: OperationId) -> None:
        command.bind(by=BY, target=id)
        (await self._loop.submit(Envelope(command, str(id)))).result()

    async def _outcome(self, id: OperationId) -> Operation:
        began = time.monotonic()
        while (operation := (await self._loop.states([id]))[id, Operation]).status is Status.REQUESTED:
            waited = time.monotonic() - began
            if waited > TAKEN_WITHIN:
                await self._require_worker(id, waited)
            await asyncio.sleep(LOOK)
        return operation

    async def _require_worker(self, id: OperationId, waited: float) -> None:
        async with connected(self._reads) as connection:
            found = await (await connection.execute(TAKEN, [id])).fetchone()
        if found is None or (found[0] == 0 and found[1] is None):
            raise NoWorker(id)
        if waited > ENDED_WITHIN:
            raise StillUnderWay(id, found[2])


def result_of(operation: Operation) -> Facts:
    if operation.status is Status.DONE:
        return dict(operation.result)
    raise OperationRefused(operation.explanation)


async def taken_note_of(databases: Databases, keys: PersonalKeys) -> None:
    """Where no worker has run yet, the first one shall find what is requested now."""
    incarnation, head = await LogReader(databases.pool(CONTEXT.name), CONTEXT.name, keys).head()
    async with connected(databases.pool(READS)) as connection:
        await begin(connection, CONTEXT.name, incarnation, head)


@asynccontextmanager
async def operating(settings: Settings) -> AsyncIterator[Operations]:
    """Needs the databases only: no server has to run for a request to be recorded."""
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(opened(settings, [CONTEXT.name]))
        pool = databases.pool(CONTEXT.name)
        keys = PersonalKeys(pool, settings.master_key_bytes())  # of nobody: what services say is not sealed
        await taken_note_of(databases, keys)
        log = EventLog(databases.conninfo(CONTEXT.name), pool, CONTEXT, keys)
        await log.open()
        stack.push_async_callback(log.close)
        wakeups = Wakeups(databases.conninfo(CONTEXT.name), pool, [CONTEXT.name])
        stack.push_async_callback(wakeups.close)
        log.on_written(partial(wakeups.written, CONTEXT.name))
        loop = WriteLoop(CONTEXT, HANDLERS, log)
        stack.push_async_callback(loop.close)
        yield Operations(loop, databases.pool(READS))
