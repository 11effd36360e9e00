from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain.event import ERASED
from domain.operations.operation import Status, evolve
from projections.model import CannotApply
from projections.operations.projector import operations
from projections.operations.row import OperationRow
from tests.domain.operations.samples import (
    OPERATION,
    OPERATOR,
    PARKED,
    WAYS_TO,
    WHY,
    begun,
    completed,
    denied,
    failed,
    requested,
    requested_by_tool,
    without_effect,
)
from tests.projections.fakes import recorded
from tests.specification import AT, Make

BY = f"user:{OPERATOR}"


def row_after(*story: Make, actor: str = BY, **changes: Any) -> OperationRow:
    row = None
    for version, make in enumerate(story, 1):
        event = make(OPERATION, version)
        replaced = {name: value for name, value in changes.items() if name in type(event).model_fields}
        by = actor if version == 1 else "service:todo"
        row = operations.apply(row, recorded(event.model_copy(update=replaced), version, by))
    assert row is not None
    return row


@pytest.mark.parametrize("story", WAYS_TO.values(), ids=list(WAYS_TO))
def test_the_row_agrees_with_the_aggregate(story: Sequence[Make]) -> None:
    state: Any = None
    for version, make in enumerate(story, 1):
        state = evolve(state, make(OPERATION, version))  # type: ignore[arg-type]
    row = row_after(*story)
    assert (row.id, row.version, row.status, row.kind, row.target, row.by) == (
        state.id, state.version, state.status, state.kind, state.target, state.by,
    )  # fmt: skip


def test_a_line_says_who_asked_for_what_when_and_why() -> None:
    row = row_after(requested)
    assert (row.actor, row.by, row.kind, row.target, row.reason) == (BY, OPERATOR, "parked.retry", PARKED, WHY)
    assert (row.requested_at, row.ended_at, row.parameters, row.correlation_id) == (AT, None, {"canary": True}, "test")


def test_who_carries_it_out_is_not_who_asked() -> None:
    assert row_after(requested, completed).actor == BY


def test_a_line_says_what_came_of_it() -> None:
    done = row_after(requested, completed)
    assert (done.result, done.explanation, done.ended_at) == ({"applied": 3, "parkedAgain": None}, None, AT)
    assert row_after(requested_by_tool, failed, actor="service:cli").explanation == "orders has no row yet"
    assert row_after(requested, without_effect).explanation == "nothing is parked under this id"
    assert row_after(begun, completed, actor="service:cli").status is Status.DONE


def test_a_denial_is_a_line_that_has_ended() -> None:
    row = row_after(denied)
    assert (row.reason, row.explanation, row.ended_at) == (None, "needs the scope parked:act", AT)


def test_the_reason_goes_with_who_gave_it() -> None:
    assert row_after(requested, reason=ERASED).reason is None


def test_an_outcome_before_the_request_is_not_applied() -> None:
    with pytest.raises(CannotApply, match="no row yet"):
        operations.apply(None, recorded(completed(OPERATION, 2), 1))
