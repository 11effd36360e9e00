"""To-dos of sagas: the commands they ask for, and their timers. What comes of either is an input for the saga."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from commands.reply import Envelope
from commands.sagas.messages import DeliverOutcome
from commands.services import Loop
from domain.event import JSON
from domain.sagas.events import CommandDispatched, InputKind, TimerSet
from domain.sagas.saga import ACCEPTED, REFUSED, Saga
from projections.asking import Rule
from projections.doing import Done, Kind, Later, Outcome
from projections.retry import RetryPolicy
from projections.todo import Work
from sagas.orchestrator import ORCHESTRATOR
from sagas.port import Accepted, Commands, Request

COMMAND: Final = "saga-command"
TIMER: Final = "saga-timer"
RETRY: Final = RetryPolicy(first=0.2, longest=60)
HELD: Final = 1.0  # seconds after which a saga that is paused or parked is looked at again


def command_data(event: CommandDispatched) -> JSON:
    return {"command": str(event.command_id), "path": event.path, "body": event.body}


def timer_data(event: TimerSet) -> JSON:
    return {"timer": str(event.timer_id), "name": event.name}


RULES: Final = (
    Rule(CommandDispatched, COMMAND, data=command_data),
    Rule(TimerSet, TIMER, data=timer_data, due_at=lambda event: event.due_at),
)
"""Which events of the log of sagas ask for work."""


class OfSaga:
    """What both kinds have in common: the outcome is an input for the saga. `known` is: the saga has seen it."""

    def __init__(self, sagas: Loop, kind: InputKind, field: str) -> None:
        self._sagas = sagas
        self._kind = kind
        self._field = field

    def input_of(self, work: Work) -> UUID:
        return UUID(work.data[self._field])

    async def saga(self, work: Work) -> Saga:
        """Raises NotFound, which is tried again: the log may have been moved, or this copy of it be behind."""
        return (await self._sagas.states([work.subject]))[work.subject, Saga]

    async def deliver(self, work: Work, outcome: Outcome) -> None:
        assert isinstance(outcome, Done)
        command = DeliverOutcome(
            input_id=self.input_of(work),
            kind=self._kind,
            name=outcome.result["name"],
            facts=outcome.result["facts"],
        )
        envelope = Envelope(
            command.bind(by=ORCHESTRATOR, target=work.subject),
            work.correlation_id,
            causation_id=work.id,
            traceparent=work.traceparent,
        )
        (await self._sagas.submit(envelope)).result()


class SendCommand:
    """The act of `saga-command`. It is never given up: whether it was done must come to be known."""

    def __init__(self, sagas: Loop, commands: Commands) -> None:
        self._of = OfSaga(sagas, InputKind.REPLY, "command")
        self._commands = commands

    async def known(self, work: Work) -> Outcome | Later | None:
        saga = await self._of.saga(work)
        if self._of.input_of(work) in saga.seen:
            return Done()
        return Later(HELD, work.data) if saga.held else None

    async def do(self, work: Work) -> Outcome | Later:
        request = Request(
            self._of.input_of(work),
            work.data["path"],
            work.data["body"],
            work.correlation_id,
            causation_id=work.causation_id,
            traceparent=work.traceparent,
        )
        said = await self._commands.send(request)
        if isinstance(said, Accepted):
            return Done({"name": ACCEPTED, "facts": {"version": said.version, "status": said.status}})
        return Done({"name": REFUSED, "facts": {"code": said.code, "detail": said.detail, "facts": said.facts}})

    async def record(self, work: Work, outcome: Outcome) -> None:
        await self._of.deliver(work, outcome)


class RingTimer:
    """The act of `saga-timer`: to be due is all there is to it."""

    def __init__(self, sagas: Loop) -> None:
        self._of = OfSaga(sagas, InputKind.TIMER, "timer")

    async def known(self, work: Work) -> Outcome | None:
        saga = await self._of.saga(work)
        return Done() if saga.ended or self._of.input_of(work) in saga.seen else None

    async def do(self, work: Work) -> Outcome | Later:
        return Done({"name": work.data["name"], "facts": {}})

    async def record(self, work: Work, outcome: Outcome) -> None:
        await self._of.deliver(work, outcome)


def kinds(sagas: Loop, commands: Commands) -> list[Kind]:
    return [Kind(COMMAND, RETRY, SendCommand(sagas, commands)), Kind(TIMER, RETRY, RingTimer(sagas))]
