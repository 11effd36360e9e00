"""Everything that operators can ask for outside a saga, and by whom. Each is recorded, what is denied too."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from commands.handler import Answer
from commands.operations.messages import (
    CancelReplay,
    CompareReplay,
    DiscardParked,
    DropReplay,
    RetryParked,
    RollBackReplay,
    ShowPersonal,
    StartReplay,
    SwitchReplay,
)
from commands.operations.prepare import aimed, denied, started
from commands.route import ACCEPTED, REQUIRED, Resource, Route, shown
from domain.errors import NotFound
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation

Act = partial(Route, key=REQUIRED, answer=ACCEPTED, prepare=aimed, makes="operations", denied=denied)
PARKED, REPLAYS, PERSONAL, LOOK = "parked:act", "replays:act", "personal:show", "operations:look"

ROUTES: Final = [
    Act("/v1/parked/{id}/retry", RetryParked, PARKED),
    Act("/v1/parked/{id}/discard", DiscardParked, PARKED),
    Act("/v1/streams/{id}/show-personal", ShowPersonal, PERSONAL),
    Act("/v1/replays", StartReplay, REPLAYS, prepare=started, makes="replays"),
    Act("/v1/replays/{id}/compare", CompareReplay, REPLAYS),
    Act("/v1/replays/{id}/switch", SwitchReplay, REPLAYS),
    Act("/v1/replays/{id}/rollback", RollBackReplay, REPLAYS),
    Act("/v1/replays/{id}/cancel", CancelReplay, REPLAYS),
    Act("/v1/replays/{id}/drop", DropReplay, REPLAYS),
]


def replay_shown(state: Operation, id: UUID) -> Answer:
    if state.kind != OperationKind.REPLAY_START:
        raise NotFound("replay", id)
    return shown(state, id)


RESOURCES: Final = [
    Resource("operations", Operation, "operations", LOOK),
    Resource("replays", Operation, "operations", LOOK, show=replay_shown),
]
