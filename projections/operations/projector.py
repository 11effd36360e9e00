"""The audit log: one small function per event type."""

from __future__ import annotations

from domain.operations.events import (
    ActionDenied,
    Asked,
    OperationBegun,
    OperationCompleted,
    OperationEvent,
    OperationFailed,
    OperationRequested,
    OperationWithoutEffect,
)
from domain.operations.operation import Status
from projections.audited import cleared, done_by
from projections.feed import Recorded
from projections.model import Model, Projector, known, opened
from projections.operations.row import OperationRow
from projections.personal import Personal
from projections.row import replace

operations = Projector("operations", OperationRow, OperationEvent)


OPERATIONS = Model(
    "operations",
    contexts=("operations",),
    projectors=(operations,),
    personal=(Personal(operations.table, "sealed_for", cleared),),
)


@operations.opens(OperationRequested)
def requested(event: OperationRequested) -> OperationRow:
    return asked_for(event)


@operations.opens(OperationBegun)
def begun(event: OperationBegun) -> OperationRow:
    return asked_for(event)


@operations.opens(ActionDenied)
def denied(event: ActionDenied) -> OperationRow:
    return OperationRow(
        **opened(event),
        status=Status.DENIED,
        kind=event.action,
        target=event.target,
        parameters={},
        by=event.by,
        reason=None,
        requested_at=event.timestamp,
        explanation=event.why,
        ended_at=event.timestamp,
    )


@operations.on(OperationCompleted)
def completed(row: OperationRow, event: OperationCompleted) -> OperationRow:
    return replace(row, status=Status.DONE, result=event.result, ended_at=event.timestamp)


@operations.on(OperationFailed)
def failed(row: OperationRow, event: OperationFailed) -> OperationRow:
    return replace(row, status=Status.FAILED, explanation=event.error, ended_at=event.timestamp)


@operations.on(OperationWithoutEffect)
def without_effect(row: OperationRow, event: OperationWithoutEffect) -> OperationRow:
    return replace(row, status=Status.NO_EFFECT, explanation=event.why, ended_at=event.timestamp)


@operations.every
def who_asked(row: OperationRow, recorded: Recorded) -> OperationRow:
    return row if recorded.event.originator_version > 1 else done_by(row, recorded)


def asked_for(event: Asked) -> OperationRow:
    return OperationRow(
        **opened(event),
        status=Status.REQUESTED,
        kind=event.kind,
        target=event.target,
        parameters=event.parameters,
        by=event.by,
        reason=known(event.reason),
        sealed_for=event.by,
        requested_at=event.timestamp,
    )
