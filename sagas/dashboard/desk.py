"""Everything that pages look at and act through, put together in infra."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.types import Scope

from domain.actor import Actor
from domain.aggregate import Context
from projections.pool import Pool
from sagas.dashboard.alive import Alive
from sagas.dashboard.healthy import Healthy
from sagas.dashboard.live import News
from sagas.dashboard.port import Commands, Denials, Log, Mails, Trying
from sagas.dashboard.session import Sessions
from sagas.dashboard.shared import Shared
from sagas.dashboard.stories import Stories


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Desk:
    """`sealed` and `opened` are the logs by context: in the first nothing personal can be read.

    `token` gives an access token for who is signed in. `stopping` is set when the process is to end. `address` says
    from where a request comes, as far as our own proxies tell it.
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
    stopping: asyncio.Event
    address: Callable[[Scope], str]
    in_production: bool
    shared: Shared = field(default_factory=Shared)
    now: Callable[[], datetime] = field(default=clock)
