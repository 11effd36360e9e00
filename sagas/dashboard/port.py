"""What the dashboard needs of others: logs to look at, the command API to act through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from uuid import UUID

from domain.actor import Actor
from projections.feed import Recorded
from projections.unparking import Tried


class Stored(Protocol):
    """An event as its row has it: `state` is neither opened nor upcast."""

    @property
    def position(self) -> int: ...
    @property
    def originator_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def state(self) -> bytes: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def correlation_id(self) -> str: ...
    @property
    def causation_id(self) -> UUID | None: ...
    @property
    def actor(self) -> str: ...


class Log(Protocol):
    """The log of one context. Raises psycopg.Error or PoolTimeout when its database is away."""

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]: ...

    async def stream_raw(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> Sequence[Stored]: ...

    async def sought(
        self,
        *,
        stream: UUID | None,
        correlation: str | None,
        event_type: str | None,
        above: int,
        below: int | None,
        limit: int,
    ) -> Sequence[Stored]:
        """The newest first, as they are stored, between two positions that are not among them."""
        ...

    async def stored_at(self, position: int) -> Stored | None: ...

    async def last_version(self, id: UUID) -> int:
        """Of one aggregate; 0 where there is none."""
        ...

    async def head(self) -> tuple[UUID, int]:
        """The log's incarnation and its last position."""
        ...

    async def position_at(self, at: datetime) -> int:
        """The last position recorded at or before a time."""
        ...

    async def streams(self, ids: Sequence[UUID]) -> list[Recorded]:
        """The events of several aggregates, one after another, each in order."""
        ...

    async def picked(self, id: UUID, versions: Sequence[int]) -> list[Recorded]:
        """Single events of one aggregate, in order."""
        ...

    async def at(self, positions: Sequence[int]) -> list[Recorded]:
        """In order."""
        ...

    async def correlated(self, correlation_ids: Sequence[str], limit: int, *, but: UUID) -> Sequence[Stored]:
        """Events of these correlation ids, in order, without their states; those of one aggregate are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A POST to the command API for somebody: `token` is theirs, `client` the address they came from."""

    path: str
    body: Mapping[str, Any]
    client: str
    token: str | None = None
    key: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """`said` is the answer's body: of a command that was refused a problem, with `code` and `detail`.

    `replayed`: it is the answer of the first time that the command was sent with this key; nothing was done now.
    """

    status: int
    said: Mapping[str, Any] = field(default_factory=dict)
    replayed: bool = False

    @property
    def done(self) -> bool:
        return self.status < 300

    @property
    def kept(self) -> bool:
        """Whether the command API has kept the denial for the audit log: it does where the roles do not allow it."""
        return self.status == HTTPStatus.FORBIDDEN and "scope" in (self.said.get("facts") or {})


class Unreachable(Exception):
    """The command API cannot be asked at present."""


class Denials(Protocol):
    """Keeps for the audit log what somebody was refused. Nobody can make it write without end."""

    async def keep(self, actor: Actor, action: str, target: str, why: str) -> None: ...


class Commands(Protocol):
    async def post(self, asked: Asked) -> Answered:
        """Raises Unreachable."""
        ...


class CannotTry(Exception):
    """Nothing is parked there any more, or it cannot be tried here: says why."""


class Trying(Protocol):
    """What is parked, tried by the code of this process."""

    async def dry_run(self, id: UUID) -> Tried:
        """What a retry would come to; nothing is changed. Raises CannotTry."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """As it was sent: `html` is the same as `text`, with its looks."""

    sender: str
    to: str
    date: str
    subject: str
    text: str
    html: str


class Mails(Protocol):
    """Copies of what was mailed, where they are kept."""

    async def read(self, id: UUID) -> Mail | None:
        """That of a notification; None where there is none."""
        ...
