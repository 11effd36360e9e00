"""What an operator's action would cause, before it is taken: the same rules, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.ids import new_id
from domain.sagas.events import ActionKind, CommandDispatched, EndWished, Outcome, SagaEnded
from domain.sagas.saga import Saga, Status, evolve
from sagas.definition import Definition
from sagas.engine import Engine


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`commands` would be sent at once; `then` are the steps that would follow if all of them went well."""

    status: Status
    outcome: Outcome | None
    commands: Sequence[CommandDispatched]
    then: Sequence[str]
    waits_first: bool  # an answer that is still to come has to be known before


def what_if(engine: Engine, saga: Saga, action: ActionKind, at: datetime) -> WhatIf:
    """Raises ActionNotPossible."""
    events: list[Any] = engine.act(saga, action, new_id(), None, "what if", at)
    after = saga
    for event in events:
        after = evolve(after, event)
    definition = engine.processes[saga.process].definitions[saga.definition]
    commands = [event for event in events if isinstance(event, CommandDispatched)]
    wished = any(isinstance(event, EndWished) for event in events)
    return WhatIf(
        status=after.status,
        outcome=after.outcome if any(isinstance(event, SagaEnded) for event in events) else None,
        commands=commands,
        then=steps_after(after, definition),
        waits_first=wished and not commands,
    )


def steps_after(saga: Saga, definition: Definition) -> list[str]:
    """What is left of the plan behind the present step."""
    if saga.ended:
        return []
    plan = definition.plan(saga)
    return [s.name for s in plan if s.name not in saga.done and s.name != saga.step and not s.skip(saga)]
