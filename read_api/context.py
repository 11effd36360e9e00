"""What every resolver can use: who asks, the read database, and loaders that live for one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from strawberry import Info
from strawberry.dataloader import DataLoader

from domain.actor import Actor
from domain.errors import Forbidden
from projections.history import Stream
from projections.pool import Pool
from projections.waiting import Waited
from read_api.cursor import Cursors

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Load = Callable[[Pool, list[K]], Awaitable[list[V]]]
"""Loads a value for each of the keys, in their order."""


Permit = Callable[[Actor, str], None]
"""Whether the command API takes a POST to this path (`/v1/orders/{id}/cancel`) from the actor. Raises Forbidden."""


def nobody(actor: Actor, path: str) -> None:
    raise Forbidden("nobody may do anything here")


@dataclass(slots=True)
class Context:
    """One request. `waited` is how waiting for its Consistency-Token went, None if it had none.

    `logs` are the logs by context; `permit` says what the command API takes from whom.
    """

    actor: Actor
    pool: Pool
    cursors: Cursors
    waited: Waited | None = None
    logs: Mapping[str, Stream] = field(default_factory=dict)
    permit: Permit = nobody
    _loaders: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict)

    def log(self, context: str) -> Stream:
        """Of a context, for what things once were."""
        return self.logs[context]

    def loader(self, load: Load[K, V], name: Hashable = None) -> DataLoader[K, V]:
        """This request's loader for `load`: what resolvers ask for at the same time is loaded at once.

        A `load` that was made for the occasion needs a name by which it is the same as another.
        """
        key = load if name is None else name
        if key not in self._loaders:
            self._loaders[key] = DataLoader(partial(load, self.pool))
        return self._loaders[key]


Asked = Info[Context, None]
