"""An operation's usual history, one event a name."""

from __future__ import annotations

from domain.ids import UserId, derive
from domain.operations.events import (
    ActionDenied,
    OperationBegun,
    OperationCompleted,
    OperationFailed,
    OperationRequested,
    OperationWithoutEffect,
)
from domain.operations.kinds import OperationKind
from domain.operations.operation import Status, evolve
from tests.specification import Specification, a

OPERATION = derive("test", "operation")
OPERATOR = UserId(derive("test", "operator"))
STAFF = UserId(derive("test", "staff"))
PARKED = str(derive("test", "parked"))
WHY = "The projector is mended"

operation = Specification(OPERATION, evolve)

requested = a(
    OperationRequested,
    by=OPERATOR,
    kind=OperationKind.PARKED_RETRY.value,
    target=PARKED,
    parameters={"canary": True},
    reason=WHY,
)
requested_by_tool = a(
    OperationRequested, by=None, kind="replay.start", target="orders", parameters={"until": None}, reason="A new column"
)
begun = a(OperationBegun, by=None, kind="log.import", target="orders", parameters={"events": 12}, reason="Moved here")
completed = a(OperationCompleted, result={"applied": 3, "parkedAgain": None})
failed = a(OperationFailed, error="orders has no row yet")
without_effect = a(OperationWithoutEffect, why="nothing is parked under this id")
denied = a(
    ActionDenied, by=STAFF, action=OperationKind.PARKED_DISCARD.value, target=PARKED, why="needs the scope parked:act"
)

WAYS_TO = {
    Status.REQUESTED: (requested,),
    Status.DONE: (requested, completed),
    Status.FAILED: (requested, failed),
    Status.NO_EFFECT: (requested, without_effect),
    Status.DENIED: (denied,),
}
"""The shortest usual history that leads to each status."""
