"""A line of the audit log, whichever read model has it: an operation, or what a saga or a user tells of itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.operations.events import Facts
from domain.operations.operation import Status
from projections.feed import Recorded
from projections.row import dataclass, replace


@dataclass(frozen=True)
class AuditRow:
    """Columns of the tables `operations`, `saga_actions` and `role_changes`.

    Personal: `reason`, null once the user is erased for whom it is sealed: who gave it, or whom it is about.

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
    sealed_for: UUID | None = None
    actor: str = ""
    correlation_id: str = ""
    result: Facts | None = None
    explanation: str | None = None
    ended_at: datetime | None = None


def done_by(row: AuditRow, recorded: Recorded) -> AuditRow:
    return replace(row, actor=recorded.actor, correlation_id=recorded.correlation_id)


def cleared(row: AuditRow) -> AuditRow:
    """Without what somebody wrote."""
    return replace(row, reason=None)
