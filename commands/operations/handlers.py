"""Decides the commands about operations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from commands.handler import Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.operations import messages as m
from domain.actor import Role
from domain.aggregate import States
from domain.errors import AlreadyExists, Forbidden, NotFound
from domain.ids import UserId
from domain.lifecycle import require
from domain.operations import operation as operations
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation, Status

C = TypeVar("C", bound=Command)
A = TypeVar("A", bound=m.Asked)


class Begins(Handler[A]):
    of = Operation

    def needs(self, command: A, states: States) -> Iterable[UUID]:
        return (command.id, command.replay) if command.replay else (command.id,)

    def decide(self, command: A, states: States, at: datetime, ids: Ids) -> Decision:
        if states.get(command.id) is not None:
            raise AlreadyExists("operation", command.id)
        if command.replay is not None and (begun := states.get(command.replay)) is not None:
            require(replay(begun), Status.DONE)
        return self.on(command, at)

    def on(self, command: A, at: datetime) -> Decision:
        raise NotImplementedError


class Request(Begins[m.RequestOperation]):
    def on(self, command: m.RequestOperation, at: datetime) -> Decision:
        return operations.request(command.id, asked(command), at=at)


class Begin(Begins[m.BeginOperation]):
    def on(self, command: m.BeginOperation, at: datetime) -> Decision:
        return operations.begin(command.id, asked(command), at=at)


class Ends(Handler[C]):
    """An outcome is recorded by the process that carried the operation out, and by nobody else."""

    of = Operation

    def decide(self, command: C, states: States, at: datetime, ids: Ids) -> Decision:
        if not command.by.has(Role.SERVICE):
            raise Forbidden("what came of an operation is recorded by the process that carried it out")
        return self.on(states[command.target, Operation], command, at)

    def on(self, operation: Operation, command: C, at: datetime) -> Decision:
        raise NotImplementedError


class Complete(Ends[m.CompleteOperation]):
    def on(self, operation: Operation, command: m.CompleteOperation, at: datetime) -> Decision:
        return operations.complete(operation, command.result, at=at)


class Fail(Ends[m.FailOperation]):
    def on(self, operation: Operation, command: m.FailOperation, at: datetime) -> Decision:
        return operations.fail(operation, command.error, at=at)


class EndWithoutEffect(Ends[m.EndWithoutEffect]):
    def on(self, operation: Operation, command: m.EndWithoutEffect, at: datetime) -> Decision:
        return operations.end_without_effect(operation, command.why, at=at)


class Deny(Handler[m.DenyAction]):
    of = Operation

    def decide(self, command: m.DenyAction, states: States, at: datetime, ids: Ids) -> Decision:
        if states.get(command.id) is not None:
            return None
        return operations.deny(command.id, person(command), command.action, command.subject, command.why, at=at)


HANDLERS: Handlers = {
    m.RequestOperation: Request(),
    m.BeginOperation: Begin(),
    m.CompleteOperation: Complete(),
    m.FailOperation: Fail(),
    m.EndWithoutEffect: EndWithoutEffect(),
    m.DenyAction: Deny(),
}


def asked(command: m.Asked) -> operations.Request:
    return operations.Request(command.kind, command.subject, command.parameters, person(command), command.reason)


def person(command: Command) -> UserId | None:
    return UserId(command.by.id) if command.by.id else None


def replay(begun: object) -> Operation:
    """What began a replay. Raises NotFound for an operation of another kind.

    A generation that no operation began, as the first, has an id too: whether there is one, the worker finds out.
    """
    assert isinstance(begun, Operation)
    if begun.kind != OperationKind.REPLAY_START:
        raise NotFound("replay", begun.id)
    return begun
