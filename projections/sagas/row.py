"""A saga as it is looked up. Nothing in it is personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.sagas.balance import Balance
from domain.sagas.events import Course, Outcome
from domain.sagas.saga import Saga, Status


class WaitsFor(StrEnum):
    NOTHING = "NOTHING"  # it has ended
    START = "START"  # it has not heard enough to begin
    REPLY = "REPLY"  # to its command
    FACT = "FACT"  # the command was taken; what comes of it is told by another context
    RETRY = "RETRY"  # until it tries again by itself
    OPERATOR = "OPERATOR"


@dataclass(frozen=True)
class SagaState:
    """What the fold keeps beside the columns."""

    saga: Saga
    balance: Balance = field(default_factory=Balance)


@dataclass(frozen=True)
class SagaLine:
    """The columns that a list shows: all but what the fold keeps."""

    id: UUID
    version: int
    updated_at: datetime
    process: str
    definition: int
    key: UUID
    status: Status
    since: datetime
    started_at: datetime
    order_id: UUID | None = None
    paused: bool = False
    course: Course = Course.FORWARD
    step: str | None = None
    number: int = 0
    of: int = 0
    attempt: int = 0
    waits_for: WaitsFor = WaitsFor.START
    next_at: datetime | None = None
    code: str | None = None
    detail: str | None = None
    outcome: Outcome | None = None
    inbox: int = 0
    asked: int = 0
    held: int = 0
    captured: int = 0
    refunded: int = 0
    currency: str | None = None
    reserved: int = 0
    committed: int = 0
    released: int = 0
    ended_at: datetime | None = None
    took: float | None = None


@dataclass(frozen=True)
class SagaRow(SagaLine):
    """Columns of the table `sagas`."""

    state: SagaState = field(kw_only=True)
