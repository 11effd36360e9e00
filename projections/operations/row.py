"""An operation as it is looked up: a line of the audit log."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.operations.events import Facts
from domain.operations.operation import Status
from projections.row import dataclass


@dataclass(frozen=True)
class OperationRow:
    """Columns of the table `operations`. Personal: `reason`, null once who gave it is erased.

    `actor` is as stored with the first event, `by` the user of it if it is one. `explanation` says why it failed, had
    no effect or was denied.
    """

    id: UUID
    version: int
    updated_at: datetime
    status: Status
    kind: str
    target: str
    parameters: Facts
    by: UUID | None
    reason: str | None
    requested_at: datetime
    actor: str = ""
    correlation_id: str = ""
    result: Facts | None = None
    explanation: str | None = None
    ended_at: datetime | None = None
