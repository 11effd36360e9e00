"""What reaches sagas: inputs, from those who follow other contexts and do what is to be done; operators' wishes."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from commands.message import Command
from domain.ids import SagaId, new_id
from domain.sagas.events import ActionKind, Facts, InputKind, ProcessName
from domain.value import Reason


def fresh() -> Any:
    return new_id()


class DeliverInput(Command):
    """An input for the saga `id`, counted once. Only one that `opens` makes an instance that is not there yet."""

    id: SagaId
    process: ProcessName
    key: UUID
    input_id: UUID
    kind: InputKind
    name: str
    facts: Facts
    opens: bool = False


class DeliverOutcome(Command):
    """An input for a saga that is there: what came of what it asked for, a reply or a timer. Counted once."""

    input_id: UUID
    kind: InputKind
    name: str
    facts: Facts


class ActOnSaga(Command):
    """Base of what an operator has a saga do. The version that was looked at comes in If-Match."""

    ACTION: ClassVar[ActionKind]

    action_id: UUID = Field(default_factory=fresh)
    reason: Reason


class RetrySaga(ActOnSaga):
    """Tries now what waits for its next try, has failed, or was parked."""

    ACTION = ActionKind.RETRY


class PauseSaga(ActOnSaga):
    """Keeps what comes in and does nothing until it is resumed. What was sent already may still happen."""

    ACTION = ActionKind.PAUSE


class ResumeSaga(ActOnSaga):
    ACTION = ActionKind.RESUME


class CancelSaga(ActOnSaga):
    """Before the pivot: undoes what was done, and rejects the order."""

    ACTION = ActionKind.CANCEL


class ResolveSaga(ActOnSaga):
    """The step that needs an operator was seen to by hand: goes on behind it."""

    ACTION = ActionKind.RESOLVE


class RedeliverSaga(ActOnSaga):
    """Looks again at what waits in the inbox."""

    ACTION = ActionKind.REDELIVER
