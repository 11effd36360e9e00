"""Where objects meet: from settings to a running system, with explicit arguments and no container."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette

from infra.health import health_routes
from infra.settings import Settings, new_secret

SECRETS: Final[dict[str, Callable[[], str]]] = {
    "master_key": new_secret,
    "claim_secret": new_secret,
    "cursor_secret": new_secret,
    "token_keys": new_secret,
}
"""The settings that an installation without secrets of its own makes for itself, and how."""


@dataclass(frozen=True, slots=True)
class System:
    """Everything in one process. `pages` are the addresses worth telling a person, by what is there."""

    app: Starlette
    pages: Mapping[str, str]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[System]:
    """The whole system on the databases of `settings`, stopped in order at the end."""
    yield System(Starlette(routes=health_routes({})), {"health": "/healthz"})
