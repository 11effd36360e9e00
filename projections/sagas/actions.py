"""What operators had sagas do: lines of the audit log, from the sagas' own events."""

from __future__ import annotations

from uuid import UUID

from domain.operations.operation import Status
from domain.sagas.events import ActionTaken, SagaEvent
from projections.audited import AuditRow, cleared, done_by
from projections.feed import Recorded
from projections.model import Projector, known
from projections.personal import Personal


def action_of(event: SagaEvent) -> UUID | None:
    return event.action_id if isinstance(event, ActionTaken) else None


saga_actions = Projector("saga_actions", AuditRow, SagaEvent, key=action_of)

PERSONAL = Personal(saga_actions.table, "sealed_for", cleared)


@saga_actions.opens(ActionTaken)
def taken(event: ActionTaken) -> AuditRow:
    return AuditRow(
        id=event.action_id,
        version=event.originator_version,
        updated_at=event.timestamp,
        status=Status.DONE,
        kind=f"saga.{event.action.lower()}",
        target=str(event.originator_id),
        parameters={},
        by=event.by,
        reason=known(event.reason),
        sealed_for=event.by,
        requested_at=event.timestamp,
        ended_at=event.timestamp,
    )


@saga_actions.every
def by_whom(row: AuditRow, recorded: Recorded) -> AuditRow:
    return done_by(row, recorded)
