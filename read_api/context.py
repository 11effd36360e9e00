"""What every resolver can use: who asks, the read database, and loaders that live for one request."""

from __future__ import annotations

from asyncio import Semaphore
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from starlette.requests import HTTPConnection
from strawberry import Info
from strawberry.dataloader import DataLoader

from domain.actor import Actor
from domain.errors import Forbidden
from projections.history import Stream
from projections.pool import Pool
from projections.waiting import Waited
from read_api.cursor import Cursors
from read_api.errors import LogNotAtHand
from read_api.few import InTurn, few, turns
from read_api.live.hub import Live
from read_api.live.meter import Begun

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Load = Callable[[Pool, list[K]], Awaitable[list[V]]]
"""Loads a value for each of the keys, in their order."""


Permit = Callable[[Actor, str], None]
"""Whether the command API takes a POST to this path (`/v1/orders/{id}/cancel`) from the actor. Raises Forbidden."""


def nobody(actor: Actor, path: str) -> None:
    raise Forbidden("nobody may do anything here")


@dataclass(slots=True)
class Listening:
    """What it takes to follow changes. `still_good` raises why whoever listens may not do so any longer.

    `resume` says up to where they have seen, if the connection says so; `cursor` up to where they were told. `places`
    are given back when the connection ends.
    """

    live: Live
    principal: Hashable
    still_good: Callable[[], None]
    connection: HTTPConnection
    places: ExitStack = field(default_factory=ExitStack)
    resume: str | None = None
    cursor: str | None = None


@dataclass(slots=True)
class Context:
    """One request, or one socket. `pool` and the logs give it but few connections at a time, by `turns`.

    `waited` is how waiting for its Consistency-Token went, None if it had none.

    `logs` are the logs by context; `permit` says what the command API takes from whom.
    `connection_params` came with the opening of a WebSocket. `begun` is what is known of a stream.
    """

    actor: Actor
    pool: Pool
    cursors: Cursors
    waited: Waited | None = None
    logs: Mapping[str, Stream] = field(default_factory=dict)
    permit: Permit = nobody
    turns: Semaphore = field(default_factory=turns)
    listening: Listening | None = None
    begun: Begun | None = None
    connection_params: dict[str, Any] | None = None
    _loaders: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pool = few(self.pool, self.turns)

    def log(self, context: str) -> Stream:
        """Of a context, for what things once were. Raises LogNotAtHand."""
        if context not in self.logs:
            raise LogNotAtHand(context)
        return InTurn(self.logs[context], self.turns)

    def apart(self) -> Context:
        """For another operation on the same connection."""
        return replace(self, listening=self.listening and replace(self.listening), _loaders={})

    def begin_anew(self) -> None:
        """What was loaded before is not to be seen again: a stream outlives what it shows."""
        self._loaders = {}

    def loader(self, load: Load[K, V], name: Hashable = None) -> DataLoader[K, V]:
        """This request's loader for `load`: what resolvers ask for at the same time is loaded at once.

        A `load` that was made for the occasion needs a name by which it is the same as another.
        """
        key = load if name is None else name
        if key not in self._loaders:
            self._loaders[key] = DataLoader(partial(load, self.pool))
        return self._loaders[key]


Asked = Info[Context, None]
