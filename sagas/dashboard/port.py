"""What the dashboard needs of others: logs to look at, the command API to act through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.actor import Actor
from projections.feed import Recorded


class Log(Protocol):
    """The log of one context. Raises psycopg.Error or PoolTimeout when its database is away."""

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]: ...

    async def position_at(self, at: datetime) -> int:
        """The last position recorded at or before a time."""
        ...

    async def correlated(self, correlation_id: str, limit: int) -> list[Recorded]:
        """The first events of a correlation id, in order."""
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
    """`said` is the answer's body: of a command that was refused a problem, with `code` and `detail`."""

    status: int
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.status < 300


class Unreachable(Exception):
    """The command API cannot be asked at present."""


class Denials(Protocol):
    """Keeps for the audit log what somebody was refused. Nobody can make it write without end."""

    async def keep(self, actor: Actor, action: str, target: str, why: str) -> None: ...


class Commands(Protocol):
    async def post(self, asked: Asked) -> Answered:
        """Raises Unreachable."""
        ...
