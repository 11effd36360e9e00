"""Everything that pages look at and act through, put together in infra."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from starlette.types import Scope

from domain.actor import Actor
from domain.aggregate import Context
from projections.pool import Pool
from sagas.dashboard.alive import Alive
from sagas.dashboard.healthy import Healthy
from sagas.dashboard.live import News
from sagas.dashboard.past import Past
from sagas.dashboard.port import Commands, Denials, Log, Mails, Trying
from sagas.dashboard.session import Sessions
from sagas.dashboard.shared import Shared
from sagas.dashboard.stories import Stories
from sagas.dashboard.versions import Versions

T = TypeVar("T")

LONG: Final = 3600.0  # seconds


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Desk:
    """`sealed` and `opened` are the logs by context: in the first nothing personal can be read.

    `token` gives an access token for who is signed in. `stopping` is set when the process is to end. `address` says
    from where a request comes, as far as our own proxies tell it. `shared` is what pages look up together, `made` what
    is made of it `once` for all who look at the same.
    """

    reads: Pool
    sealed: Mapping[str, Log]
    opened: Mapping[str, Log]
    contexts: Mapping[str, Context]
    commands: Commands
    trying: Trying
    mails: Mails
    denials: Denials
    token: Callable[[Actor], str]
    sessions: Sessions
    news: News
    healthy: Healthy
    stories: Stories
    alive: Alive
    past: Past
    versions: Versions
    stopping: asyncio.Event
    address: Callable[[Scope], str]
    in_production: bool
    shared: Shared = field(default_factory=Shared)
    made: Shared = field(default_factory=Shared)
    now: Callable[[], datetime] = field(default=clock)

    async def once(self, model: str, name: Hashable, look: Callable[[], Awaitable[T]]) -> T:
        """What all see who look at the same while the read model stands where it was seen last: it is made once."""
        return await self.made.of((name, model, self.news.seen(model)), LONG, look)
