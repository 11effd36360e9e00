"""Carries out what operators asked for: by kind, in the to-do worker, with one outcome in the log for each."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from commands.message import Command
from commands.operations.messages import CompleteOperation, EndWithoutEffect, FailOperation
from commands.reply import Envelope
from commands.services import Loop
from domain.actor import service
from domain.errors import NotAllowedNow, NotFound
from domain.operations.events import Facts, OperationRequested
from domain.operations.operation import Operation, Status
from projections.asking import Rule
from projections.doing import Done, Failed, Kind, Outcome
from projections.retry import RetryPolicy
from projections.todo import Work

KIND: Final = "operation"
RETRY: Final = RetryPolicy(first=0.5, longest=60, within=3600)
WORKER: Final = service("operations")
LOST_AFTER: Final = 600.0
"""Seconds after which an operation that is not in the log is taken to be lost."""

DOUBT: Final = " (it was begun before: that may have done it)"

RULES: Final = (Rule(OperationRequested, KIND),)
"""Which events of the log of operations ask for work."""

Executor = Callable[[Operation], Awaitable[Facts]]
"""Does what one kind of operation asks for and tells what came of it. It may be called again for the same operation.

Raises Refused when it cannot be done, NothingToDo when it need not; all else is tried again.
"""

log: Final = logging.getLogger("chobo.operations")


class Refused(Exception):
    """It cannot be done as it was asked for: says what was refused and what is possible."""


class NothingToDo(Exception):
    """It would change nothing: says why."""


async def already_done(operation: Operation) -> Facts:
    """What is done by being recorded: who asked may go on."""
    return {}


class UnknownKind(Exception):
    """A process of another release may know it, so this is tried again."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"this release does not carry out {kind}")


class NotThere(Exception):
    def __init__(self) -> None:
        super().__init__("the log of operations has it not, as this process sees it: was the log moved, or restored?")


@dataclass(frozen=True, slots=True)
class WithoutEffect(Done):
    why: str = ""


class CarryOut:
    """The act of the to-do kind `operation`. `operations` is the write loop of that context."""

    def __init__(self, operations: Loop, executors: Mapping[str, Executor]) -> None:
        self._operations = operations
        self._executors = executors

    async def known(self, work: Work) -> Outcome | None:
        """What a log that was cut back or restored does not know any more is not to be done.

        Raises NotThere before that is certain: the row may be in the hands of a process that still has the log where
        it was before it moved, and another one knows it.
        """
        try:
            return outcome_of(await self._operation(work))
        except NotFound as error:
            if work.tried_for < LOST_AFTER:
                raise NotThere from error
            return Failed("the log of operations has it no more")

    async def do(self, work: Work) -> Outcome:
        operation = await self._operation(work)
        executor = self._executors.get(operation.kind)
        if executor is None:
            raise UnknownKind(operation.kind)
        doubt = DOUBT if work.attempt > 1 else ""
        try:
            return Done(await executor(operation))
        except Refused as refusal:
            return Failed(f"{refusal}{doubt}")
        except NothingToDo as nothing:
            return WithoutEffect(why=f"{nothing}{doubt}")

    async def record(self, work: Work, outcome: Outcome) -> None:
        """Recorded twice it is one event; an outcome that another worker has recorded meanwhile stands."""
        command = command_for(outcome).bind(by=WORKER, target=work.subject)
        envelope = Envelope(command, work.correlation_id, causation_id=work.id, traceparent=work.traceparent)
        reply = await self._operations.submit(envelope)
        if isinstance(reply.refusal, NotAllowedNow):
            log.warning("operation %s: %s stays out of the log: %s", work.subject, outcome, reply.refusal)
            return
        reply.result()

    async def _operation(self, work: Work) -> Operation:
        """Raises NotFound."""
        return (await self._operations.states([work.subject]))[work.subject, Operation]


def operation_kind(operations: Loop, executors: Mapping[str, Executor]) -> Kind:
    return Kind(KIND, RETRY, CarryOut(operations, executors))


def outcome_of(operation: Operation) -> Outcome | None:
    match operation.status:
        case Status.DONE:
            return Done(dict(operation.result))
        case Status.FAILED:
            return Failed(operation.explanation)
        case Status.NO_EFFECT:
            return WithoutEffect(why=operation.explanation)
        case _:
            return None


def command_for(outcome: Outcome) -> Command:
    match outcome:
        case WithoutEffect():
            return EndWithoutEffect(why=outcome.why)
        case Done():
            return CompleteOperation(result=outcome.result)
        case Failed():
            return FailOperation(error=outcome.error)
