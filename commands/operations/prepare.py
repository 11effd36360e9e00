"""From what an operator asks for to the operation that is recorded, or to the record of a denial."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from commands.operations.messages import Action, DenyAction, ReplayAction, RequestOperation, StartReplay
from commands.route import Route
from commands.services import Services
from domain.actor import Actor
from domain.ids import OperationId, derive, new_id


async def aimed(message: Action, services: Services) -> RequestOperation:
    """At what the path names."""
    command = RequestOperation(
        id=OperationId(new_id()),
        kind=message.KIND,
        subject=str(message.target),
        parameters=message.parameters,
        reason=message.reason,
        replay=message.target if isinstance(message, ReplayAction) else None,
    )
    return command.bind(by=message.by, target=command.id)


async def started(message: StartReplay, services: Services) -> RequestOperation:
    command = RequestOperation(
        id=message.id,
        kind=message.KIND,
        subject=message.model,
        parameters=message.parameters,
        reason=message.reason,
    )
    return command.bind(by=message.by, target=command.id)


def denied(route: Route, actor: Actor, id: UUID | None, at: datetime) -> DenyAction:
    """The body of who may not ask is not read, so a route without an id in its path is all that can be named."""
    assert issubclass(route.message, Action)
    action, subject = route.message.KIND, str(id or route.path)
    recorded_as = OperationId(derive("denial", f"{actor}/{action}/{subject}/{at:%Y-%m-%dT%H}"))
    return DenyAction(id=recorded_as, action=action, subject=subject, why=f"needs the scope {route.scope}")
