"""A saga as a test of this repository: all it was told, in order, to the very rules of today, and what should follow.

Of one that needs a person the test says that it should not: it fails until the rules see to that. Of any other it says
how it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from domain.sagas.events import ActionTaken, InputReceived
from domain.sagas.saga import Saga, Status
from projections.feed import Recorded

NEEDS_PERSON: Final = frozenset({Status.STUCK, Status.COMPENSATION_FAILED, Status.PARKED})
INDENT: Final = "    "


def as_test(saga: Saga, recorded: Sequence[Recorded]) -> str:
    name = name_of(saga)
    told = [each.event for each in recorded if isinstance(each.event, InputReceived | ActionTaken)]
    *given, last = (line(event) for event in told)
    lines = [
        f'"""{saga.process.capitalize()} {saga.id} as it was told at version {saga.version}."""',
        "",
        "from tests.sagas.retold import Retold",
        "",
        "",
        f"def test_{name}_{'does_not_need_a_person' if saga.status in NEEDS_PERSON else 'ends_as_it_did'}():",
        f'{INDENT}saga = Retold("{saga.process}", {saga.definition}, id="{saga.id}", key="{saga.key}")',
        *(f"{INDENT}saga.given({each})" for each in given),
        f"{INDENT}saga.when({last})",
        *(f"{INDENT}{each}" for each in then(saga)),
        "",
    ]
    return "\n".join(lines)


def name_of(saga: Saga) -> str:
    return f"{saga.process}_{str(saga.id)[:8]}".replace("-", "_")


def line(event: Any) -> str:
    at = event.timestamp.isoformat()
    if isinstance(event, ActionTaken):
        return f'"{at}", "ACTION", "{event.action}", "{event.action_id}"'
    return f'"{at}", "{event.kind}", "{event.name}", "{event.input_id}", {event.facts!r}'


def then(saga: Saga) -> Iterator[str]:
    if saga.status in NEEDS_PERSON:
        yield f"saga.then_not({saga.status.value!r})  # it is, because of {why(saga)}"
        return
    outcome = f", outcome={saga.outcome.value!r}" if saga.outcome else f", step={saga.step!r}"
    yield f"saga.then({saga.status.value!r}{outcome})"


def why(saga: Saga) -> str:
    said = saga.parked or (f"{saga.trouble.code} at {saga.trouble.step}" if saga.trouble else "what it was told")
    return " ".join(said.split())  # it goes into a comment, which ends with its line
