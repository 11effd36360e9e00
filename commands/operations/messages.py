"""What operators can ask for, and what is recorded of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from commands.message import Command
from domain.ids import OperationId, new_id
from domain.operations.events import Facts, KindName, Target
from domain.operations.kinds import OperationKind
from domain.value import Reason

ModelName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z_-]*$")]
Position = Annotated[int, Field(ge=0, le=2**63 - 1)]


def fresh() -> Any:
    return new_id()


# --- what comes over HTTP ---------------------------------------------------------------------------------------------


class Action(Command):
    """Base of what an operator asks for: it is recorded, and a worker carries it out."""

    KIND: ClassVar[OperationKind]

    reason: Reason

    @property
    def parameters(self) -> Facts:
        return {}


class RetryParked(Action):
    """Applies what is parked, and what waits behind it, in order; `attempts`: only if it was tried so often so far."""

    KIND = OperationKind.PARKED_RETRY

    attempts: Position | None = None

    @property
    def parameters(self) -> Facts:
        return {} if self.attempts is None else {"attempts": self.attempts}


class DiscardParked(Action):
    """Passes over the parked event, `eventId`, for good, and applies what waits behind it."""

    KIND = OperationKind.PARKED_DISCARD

    event_id: UUID

    @property
    def parameters(self) -> Facts:
        return {"event": str(self.event_id)}


class ShowPersonal(Action):
    """Has it recorded that somebody reads the personal fields of a stream, and why; then they may."""

    KIND = OperationKind.PERSONAL_SHOW


class StartReplay(Action):
    """Builds the next generation of a read model beside the live one; `until` a moment or a position, else to the end.

    The replay has the id of the operation.
    """

    KIND = OperationKind.REPLAY_START

    id: OperationId = Field(default_factory=fresh)
    model: ModelName
    until: AwareDatetime | Position | None = None

    @property
    def parameters(self) -> Facts:
        return {"until": self.until if isinstance(self.until, int | None) else self.until.isoformat()}


class ReplayAction(Action):
    """Base of what is done with a replay that was started."""


class CompareReplay(ReplayAction):
    """Compares what was built with what readers see, row by row; what is found is kept with the generation."""

    KIND = OperationKind.REPLAY_COMPARE


class LeadReaders(ReplayAction):
    """Base of what readers notice. `force` does it although there are reasons to look first, as parked events are."""

    force: bool = False

    @property
    def parameters(self) -> Facts:
        return {"force": self.force}


class SwitchReplay(LeadReaders):
    """Shows readers what was built, all of it at once."""

    KIND = OperationKind.REPLAY_SWITCH


class RollBackReplay(LeadReaders):
    """Shows readers again what they saw before the switch."""

    KIND = OperationKind.REPLAY_ROLLBACK


class CancelReplay(ReplayAction):
    """Gives up what is being built."""

    KIND = OperationKind.REPLAY_CANCEL


class DropReplay(ReplayAction):
    """Ends a generation that readers do not see, and throws its tables away."""

    KIND = OperationKind.REPLAY_DROP


# --- what is decided --------------------------------------------------------------------------------------------------


class Asked(Command):
    """Base of what begins an operation on `subject`. `replay` is the id of the replay that it is about."""

    id: OperationId = Field(default_factory=fresh)
    kind: KindName
    subject: Target
    parameters: Facts = Field(default_factory=dict)
    reason: Reason
    replay: UUID | None = None


class RequestOperation(Asked):
    """A worker carries it out."""


class BeginOperation(Asked):
    """Who records it carries it out."""


class CompleteOperation(Command):
    result: Facts


class FailOperation(Command):
    error: str


class EndWithoutEffect(Command):
    why: str


class DenyAction(Command):
    """The same denial within an hour is recorded once: it has the same id."""

    id: OperationId
    action: KindName
    subject: Target
    why: str
