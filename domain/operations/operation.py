"""An operation: from the request to its one outcome, or a denial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from pydantic import JsonValue

from domain.event import after, first
from domain.ids import OperationId, UserId
from domain.lifecycle import require
from domain.operations.events import (
    ActionDenied,
    AnyOperationEvent,
    Asked,
    Facts,
    OperationBegun,
    OperationCompleted,
    OperationFailed,
    OperationRequested,
    OperationWithoutEffect,
)


class Status(StrEnum):
    REQUESTED = "REQUESTED"
    DONE = "DONE"
    FAILED = "FAILED"
    NO_EFFECT = "NO_EFFECT"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Operation:
    """Nothing personal is in here: the reason stays in the events. `result` is empty until it is done."""

    id: OperationId
    version: int
    status: Status
    kind: str
    target: str
    parameters: Mapping[str, JsonValue]
    by: UserId | None
    result: Mapping[str, JsonValue]
    explanation: str = ""  # why it failed or had no effect


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done, by whose wish (None: a service's) and why."""

    kind: str
    target: str
    parameters: Facts
    by: UserId | None
    reason: str


def request(id: OperationId, asked: Request, *, at: datetime) -> OperationRequested:
    return OperationRequested(**first(id, at), **asdict(asked))


def begin(id: OperationId, asked: Request, *, at: datetime) -> OperationBegun:
    return OperationBegun(**first(id, at), **asdict(asked))


def deny(id: OperationId, by: UserId | None, action: str, target: str, why: str, *, at: datetime) -> ActionDenied:
    return ActionDenied(**first(id, at), by=by, action=action, target=target, why=why)


def complete(operation: Operation, result: Facts, *, at: datetime) -> OperationCompleted | None:
    """Done twice it is done. Raises NotAllowedNow where there is an outcome of another kind: the first stands."""
    if operation.status is Status.DONE:
        return None
    require(operation, Status.REQUESTED)
    return OperationCompleted(**after(operation, at), result=result)


def fail(operation: Operation, error: str, *, at: datetime) -> OperationFailed | None:
    if operation.status is Status.FAILED:
        return None
    require(operation, Status.REQUESTED)
    return OperationFailed(**after(operation, at), error=error)


def end_without_effect(operation: Operation, why: str, *, at: datetime) -> OperationWithoutEffect | None:
    if operation.status is Status.NO_EFFECT:
        return None
    require(operation, Status.REQUESTED)
    return OperationWithoutEffect(**after(operation, at), why=why)


def evolve(operation: Operation | None, event: AnyOperationEvent) -> Operation:
    if isinstance(event, Asked):
        return asked_for(event)
    if isinstance(event, ActionDenied):
        return denied(event)
    assert operation is not None
    operation = replace(operation, version=event.originator_version)
    match event:
        case OperationCompleted():
            return replace(operation, status=Status.DONE, result=event.result)
        case OperationFailed():
            return replace(operation, status=Status.FAILED, explanation=event.error)
        case OperationWithoutEffect():
            return replace(operation, status=Status.NO_EFFECT, explanation=event.why)
        case _:
            assert_never(event)


def asked_for(event: OperationRequested | OperationBegun) -> Operation:
    return Operation(
        OperationId(event.originator_id), event.originator_version, Status.REQUESTED, event.kind, event.target,
        event.parameters, event.by, result={},
    )  # fmt: skip


def denied(event: ActionDenied) -> Operation:
    return Operation(
        OperationId(event.originator_id), event.originator_version, Status.DENIED, event.action, event.target,
        {}, event.by, result={},
    )  # fmt: skip
