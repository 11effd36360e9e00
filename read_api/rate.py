"""How often somebody may ask. Who counts is outside: a port, so that all processes and both APIs count alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from starlette.types import Scope

from domain.actor import Actor


class Admission(Protocol):
    """`headers` are for every answer; `retry_after` is in seconds, 0 for a request that may go on."""

    @property
    def allowed(self) -> int: ...
    @property
    def retry_after(self) -> int: ...
    @property
    def headers(self) -> list[tuple[bytes, bytes]]: ...


Admit = Callable[[Actor, Scope, int], Awaitable[Admission | None]]
"""Counts a request, which is worth so many. None when nothing limits this actor."""

A_REQUEST: Final = 100  # of cost


async def everything(actor: Actor, scope: Scope, units: int) -> None:
    """Nobody is limited."""


def units(cost: int) -> int:
    """How many requests a query counts for: one, and one more for every further hundred of its cost."""
    return max(1, -(-cost // A_REQUEST))


class RateLimited(Exception):
    """`retry_after` is in seconds."""

    def __init__(self, allowed: int, retry_after: int) -> None:
        super().__init__(
            f"at most {allowed} GraphQL requests are taken a minute; each counts once for every {A_REQUEST} of its cost"
        )
        self.retry_after = retry_after
