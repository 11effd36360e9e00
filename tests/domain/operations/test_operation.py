"""What is recorded of an operation, and what is read of it afterwards."""

from __future__ import annotations

import pytest

from domain.errors import NotAllowedNow
from domain.ids import OperationId
from domain.operations.events import OperationBegun, OperationCompleted, OperationRequested
from domain.operations.operation import Request, begin, complete, deny, end_without_effect, fail, request
from tests.domain.operations.samples import (
    OPERATION,
    OPERATOR,
    PARKED,
    STAFF,
    WHY,
    begun,
    completed,
    denied,
    failed,
    operation,
    requested,
    requested_by_tool,
    without_effect,
)
from tests.specification import AT, a

ASKED = Request("parked.retry", PARKED, {"canary": True}, OPERATOR, WHY)
ID = OperationId(OPERATION)


def test_a_request_keeps_what_is_to_be_done_by_whose_wish_and_why() -> None:
    assert request(ID, ASKED, at=AT) == requested(OPERATION, 1)


def test_a_tool_records_what_it_does_itself() -> None:
    assert isinstance(begin(ID, ASKED, at=AT), OperationBegun)
    assert not isinstance(begin(ID, ASKED, at=AT), OperationRequested)


def test_a_denial_names_who_was_refused_what() -> None:
    assert deny(ID, STAFF, "parked.discard", PARKED, "needs the scope parked:act", at=AT) == denied(OPERATION, 1)


def test_what_came_of_it_is_kept() -> None:
    operation.given(requested).when(complete, {"applied": 3, "parkedAgain": None}).then(completed)
    operation.given(begun).when(complete, {}).then(a(OperationCompleted, result={}))
    operation.given(requested_by_tool).when(fail, "orders has no row yet").then(failed)
    operation.given(requested).when(end_without_effect, "nothing is parked under this id").then(without_effect)


def test_the_first_outcome_stands() -> None:
    operation.given(requested, completed).when(complete, {"applied": 4}).then()
    operation.given(requested, completed).when(fail, "late").refused(NotAllowedNow, status="DONE")


def test_the_state_says_what_was_asked_and_what_came_of_it() -> None:
    state = operation.given(requested, failed).state
    assert (state.kind, state.target, state.by) == ("parked.retry", PARKED, OPERATOR)
    assert (state.parameters, state.explanation, state.version) == ({"canary": True}, "orders has no row yet", 2)
    assert operation.given(requested, completed).state.result == {"applied": 3, "parkedAgain": None}


@pytest.mark.parametrize("make", [requested, requested_by_tool, begun])
def test_reasons_are_not_shown_by_accident(make) -> None:
    event = make(OPERATION, 1)
    assert event.reason not in repr(event)
