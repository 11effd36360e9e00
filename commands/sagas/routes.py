"""What operators can have a saga do. Each is recorded in the saga itself; what is denied, with the operations."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from commands.operations.messages import DenyAction
from commands.route import ACCEPTED, REQUIRED, Resource, Route
from commands.sagas.messages import (
    ActOnSaga,
    CancelSaga,
    PauseSaga,
    RedeliverSaga,
    ResolveSaga,
    ResumeSaga,
    RetrySaga,
)
from domain.actor import Actor
from domain.ids import OperationId, derive
from domain.sagas.saga import Saga


def denied(route: Route, actor: Actor, id: UUID | None, at: datetime) -> DenyAction:
    assert issubclass(route.message, ActOnSaga)
    action, subject = f"saga.{route.message.ACTION.lower()}", str(id)
    recorded_as = OperationId(derive("denial", f"{actor}/{action}/{subject}/{at:%Y-%m-%dT%H}"))
    return DenyAction(id=recorded_as, action=action, subject=subject, why=f"needs the scope {route.scope}")


Act = partial(Route, scope="sagas:act", key=REQUIRED, answer=ACCEPTED, edits=True, denied=denied)

ROUTES: Final = [
    Act("/v1/sagas/{id}/retry", RetrySaga),
    Act("/v1/sagas/{id}/pause", PauseSaga),
    Act("/v1/sagas/{id}/resume", ResumeSaga),
    Act("/v1/sagas/{id}/cancel", CancelSaga),
    Act("/v1/sagas/{id}/resolve", ResolveSaga),
    Act("/v1/sagas/{id}/redeliver", RedeliverSaga),
]

RESOURCES: Final = [Resource("sagas", Saga, "sagas", "sagas:look")]
