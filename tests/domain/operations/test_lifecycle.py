"""Every decision in every status: what goes on, what is nothing to do, and what is refused, with nothing in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import NotAllowedNow
from domain.operations.operation import Operation, Status, complete, end_without_effect, fail
from tests.domain.operations.samples import WAYS_TO, operation
from tests.specification import AT, as_list

S = Status

DECISIONS: dict[str, tuple[Callable[[Operation], Any], Status]] = {
    "complete": (lambda o: complete(o, {}, at=AT), S.DONE),
    "fail": (lambda o: fail(o, "the log is away", at=AT), S.FAILED),
    "end without effect": (lambda o: end_without_effect(o, "done already", at=AT), S.NO_EFFECT),
}
"""Each with the status it leads to."""


@pytest.mark.parametrize("status", Status)
def test_the_usual_history_leads_to_the_status(status: Status) -> None:
    assert operation.given(*WAYS_TO[status]).state.status is status


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("decision", DECISIONS)
def test_each_status_allows_and_refuses_what_it_should(decision: str, status: Status) -> None:
    state = operation.given(*WAYS_TO[status]).state
    decide, leads_to = DECISIONS[decision]
    if status is S.REQUESTED:
        [event] = as_list(decide(state))
        assert operation.evolve(state, event).status is leads_to
    elif status is leads_to:
        assert as_list(decide(state)) == []
    else:
        with pytest.raises(NotAllowedNow):
            decide(state)
