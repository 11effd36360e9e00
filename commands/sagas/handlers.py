"""Decides the commands about sagas. What follows from an input is for `Reactions` to say, which the sagas are."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from commands.handler import Answer, Decision, Handler, Handlers, Ids
from commands.sagas import messages as m
from domain.actor import Role
from domain.aggregate import States
from domain.errors import Forbidden
from domain.ids import SagaId, UserId
from domain.sagas.events import ActionKind, SagaEvent
from domain.sagas.saga import Input, Saga

A = TypeVar("A", bound=m.ActOnSaga)


class Reactions(Protocol):
    """The engine, as the write side sees it."""

    def react(
        self, saga: Saga | None, id: SagaId, process: str, key: UUID, input: Input, at: datetime
    ) -> list[SagaEvent]:
        """Never raises because of the input."""
        ...

    def act(
        self, saga: Saga, action: ActionKind, id: UUID, by: UserId | None, reason: str, at: datetime
    ) -> list[SagaEvent]:
        """Raises ActionNotPossible."""
        ...


class Deliver(Handler[m.DeliverInput]):
    """By processes of ours only: there is no route to it."""

    of = Saga

    def __init__(self, reactions: Reactions) -> None:
        self._reactions = reactions

    def decide(self, command: m.DeliverInput, states: States, at: datetime, ids: Ids) -> Decision:
        ours_only(command)
        saga = states.get(command.id, Saga)
        if saga is None and not command.opens:
            return None
        input = Input(command.input_id, command.kind, command.name, command.facts)
        return self._reactions.react(saga, command.id, command.process, command.key, input, at)

    def answer(self, command: m.DeliverInput, states: States) -> Answer:
        saga = states.get(command.id, Saga)
        return Answer(command.id, 0, "NONE") if saga is None else Answer(saga.id, saga.version, saga.status.name)


class DeliverOutcome(Handler[m.DeliverOutcome]):
    """By processes of ours only, too."""

    of = Saga

    def __init__(self, reactions: Reactions) -> None:
        self._reactions = reactions

    def decide(self, command: m.DeliverOutcome, states: States, at: datetime, ids: Ids) -> Decision:
        ours_only(command)
        saga = states[command.target, Saga]
        input = Input(command.input_id, command.kind, command.name, command.facts)
        return self._reactions.react(saga, saga.id, saga.process, saga.key, input, at)


def ours_only(command: m.DeliverInput | m.DeliverOutcome) -> None:
    if not command.by.has(Role.SERVICE):
        raise Forbidden("what sagas hear is delivered by processes of ours")


class Act(Handler[A]):
    of = Saga

    def __init__(self, reactions: Reactions) -> None:
        self._reactions = reactions

    def decide(self, command: A, states: States, at: datetime, ids: Ids) -> Decision:
        saga = states[command.target, Saga]
        by = UserId(command.by.id) if command.by.id else None
        return self._reactions.act(saga, command.ACTION, command.action_id, by, command.reason, at)


ACTIONS: tuple[type[m.ActOnSaga], ...] = (
    m.RetrySaga,
    m.PauseSaga,
    m.ResumeSaga,
    m.CancelSaga,
    m.ResolveSaga,
    m.RedeliverSaga,
)


def handlers(reactions: Reactions) -> Handlers:
    delivering: Handlers = {m.DeliverInput: Deliver(reactions), m.DeliverOutcome: DeliverOutcome(reactions)}
    return delivering | {action: Act(reactions) for action in ACTIONS}
