"""Carries out what operators ask for about replays, whoever asks: over HTTP or at the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation
from infra.operations import Executor, Refused
from projections.comparison import Comparison, verdict
from projections.generations import Generation
from projections.replay import ReplayRefused, Replays, Until


class ReplayExecutors:
    """A replay's id is that of the operation that started it; what no operation started has one too, see `list`."""

    def __init__(self, replays: Replays) -> None:
        self._replays = replays
        self.by_kind: Final[Mapping[str, Executor]] = {
            OperationKind.REPLAY_START: self._refusing(self._start),
            OperationKind.REPLAY_COMPARE: self._compare,
            OperationKind.REPLAY_SWITCH: self._refusing(self._switch),
            OperationKind.REPLAY_ROLLBACK: self._refusing(self._roll_back),
            OperationKind.REPLAY_CANCEL: self._refusing(self._cancel),
            OperationKind.REPLAY_DROP: self._refusing(self._drop),
        }

    async def _start(self, operation: Operation) -> Generation:
        until = until_of(operation.parameters.get("until"))
        return await self._replays.start(operation.target, until=until, replay=operation.id)

    async def _compare(self, operation: Operation) -> Facts:
        try:
            found = await self._replays.compare(await self._aim(operation))
        except ReplayRefused as refused:
            raise Refused(str(refused)) from refused
        return compared(found)

    async def _switch(self, operation: Operation) -> Generation:
        return await self._replays.switch(await self._aim(operation), force=forced(operation))

    async def _roll_back(self, operation: Operation) -> Generation:
        return await self._replays.rollback(await self._aim(operation), force=forced(operation))

    async def _cancel(self, operation: Operation) -> Generation:
        return await self._replays.cancel(await self._aim(operation))

    async def _drop(self, operation: Operation) -> Generation:
        return await self._replays.drop(await self._aim(operation))

    async def _aim(self, operation: Operation) -> Generation:
        return await self._replays.of_replay(UUID(operation.target))

    def _refusing(self, act: Callable[[Operation], Awaitable[Generation]]) -> Executor:
        async def carry_out(operation: Operation) -> Facts:
            try:
                return facts(await act(operation))
            except ReplayRefused as refused:
                raise Refused(str(refused)) from refused

        return carry_out


def compared(found: Comparison) -> Facts:
    return {"generation": found.other, "equal": found.equal, "verdict": verdict(found.summary())}


def facts(generation: Generation) -> Facts:
    """What came of it, as JSON."""
    return {
        "generation": generation.name,
        "status": str(generation.status),
        "replay": str(generation.replay),
        "until": generation.until,
        "schema": generation.schema,
    }


def until_of(given: object) -> Until | None:
    """From a parameter of an operation: a position, or a time in ISO 8601."""
    if given is None:
        return None
    return Until(given if isinstance(given, int) else datetime.fromisoformat(str(given)))


def forced(operation: Operation) -> bool:
    return operation.parameters.get("force") is True
