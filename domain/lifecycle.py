"""The guard of every lifecycle."""

from __future__ import annotations

from enum import Enum

from domain.aggregate import State
from domain.errors import NotAllowedNow


def require(state: State, *allowed: Enum) -> None:
    """Raises NotAllowedNow unless the aggregate has one of the statuses."""
    if state.status not in allowed:
        raise NotAllowedNow(type(state).__name__.lower(), state.id, state.status, *allowed)
