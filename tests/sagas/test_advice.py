"""What is advised is what the runbook says, and it names actions that are possible there."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.sagas.events import ActionKind
from sagas.advice import ANY, MEND, REMEDIES, remedy
from sagas.processes import PROCESSES

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbooks" / "sagas.md").read_text()


def steps() -> set[str]:
    names: set[str] = set()
    for process in PROCESSES.values():
        for definition in process.definitions.values():
            each = [*definition.steps, *definition.over, *definition.late]
            undone = [step.undo for step in definition.steps if step.undo]
            names |= {step.name for step in [*each, *undone, *([definition.close] if definition.close else [])]}
    return names


@pytest.mark.parametrize("process, step, code", REMEDIES)
def test_every_remedy_is_for_a_step_that_there_is_and_that_the_runbook_names(process: str, step: str, code: str):
    assert process == ANY or process in PROCESSES
    assert step in steps()
    assert f"*{step}*" in RUNBOOK
    assert code == ANY or f"`{code}`" in RUNBOOK


@pytest.mark.parametrize("step", sorted(steps()))
def test_something_is_advised_at_every_step(step: str):
    found = remedy("checkout", step, "SOMETHING")
    assert found.action in (ActionKind.RETRY, ActionKind.RESOLVE)
    assert found.action.capitalize() in found.todo


def test_what_is_said_of_a_code_comes_before_what_is_said_of_its_step():
    assert remedy("checkout", "cancel the order", "ALREADY_SHIPPED").again
    assert remedy("checkout", "cancel the order", "SOMETHING") is MEND
    assert remedy("cancellation", "give the money back", "expired_card").action is ActionKind.RESOLVE
