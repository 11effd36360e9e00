"""What operators could have a saga do."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from domain.actor import Actor
from domain.sagas.errors import ActionNotPossible
from domain.sagas.events import ActionKind
from domain.sagas.saga import Saga
from read_api.actions.judging import Way
from sagas.engine import refusal
from sagas.processes import PROCESSES


def act(saga: Saga, by: Actor, at: datetime, *, action: ActionKind) -> Any:
    """Raises ActionNotPossible."""
    definition = PROCESSES[saga.process].definitions[saga.definition]
    if (why := refusal(definition, saga, action)) is not None:
        raise ActionNotPossible(saga.id, action, why)
    return action


WAYS: Final[tuple[Way[Saga], ...]] = tuple(
    Way(f"/v1/sagas/{{id}}/{action.lower()}", partial(act, action=action)) for action in ActionKind
)
