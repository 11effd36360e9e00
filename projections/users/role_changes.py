"""Who was given which role or lost it, by whom and why: lines of the audit log, from the users' own events."""

from __future__ import annotations

from uuid import UUID

from domain.actor import user_of
from domain.ids import derive
from domain.operations.operation import Status
from domain.users.events import RoleGranted, RoleRevoked, UserEvent
from projections.audited import AuditRow, cleared, done_by
from projections.feed import Recorded
from projections.model import Projector, known
from projections.personal import Personal


def change_of(event: UserEvent) -> UUID | None:
    """Changes have no id of their own: it follows from the stream and the version."""
    if not isinstance(event, (RoleGranted, RoleRevoked)):
        return None
    return derive("role-change", f"{event.originator_id}/{event.originator_version}")


role_changes = Projector("role_changes", AuditRow, UserEvent, key=change_of)

PERSONAL = Personal(role_changes.table, "sealed_for", cleared)


@role_changes.opens(RoleGranted)
def granted(event: RoleGranted) -> AuditRow:
    return changed(event, "user.grant-role")


@role_changes.opens(RoleRevoked)
def revoked(event: RoleRevoked) -> AuditRow:
    return changed(event, "user.revoke-role")


def changed(event: RoleGranted | RoleRevoked, kind: str) -> AuditRow:
    id = change_of(event)
    assert id is not None, "a change of roles has one"
    return AuditRow(
        id=id,
        version=event.originator_version,
        updated_at=event.timestamp,
        status=Status.DONE,
        kind=kind,
        target=str(event.originator_id),
        parameters={"role": event.role},
        by=user_of(event.by),
        reason=known(event.reason),
        sealed_for=event.originator_id,
        requested_at=event.timestamp,
        ended_at=event.timestamp,
    )


@role_changes.every
def by_whom(row: AuditRow, recorded: Recorded) -> AuditRow:
    return done_by(row, recorded)
