"""What was used lately: a cache that has a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lately(Generic[K, V]):
    """Remembers at most `most` values that weigh at most `heaviest` together; the least used is forgotten first.

    Without `weigh` every value weighs nothing.
    """

    def __init__(self, most: int, heaviest: int = 0, weigh: Callable[[V], int] = lambda _: 0) -> None:
        self._most = most
        self._heaviest = heaviest
        self._weigh = weigh
        self._known: OrderedDict[K, V] = OrderedDict()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: K) -> V | None:
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
        return known

    def put(self, key: K, value: V) -> V:
        """The value, which is remembered unless it is too heavy by itself."""
        if (before := self._known.pop(key, None)) is not None:
            self.weight -= self._weigh(before)
        self._known[key] = value
        self.weight += self._weigh(value)
        while len(self._known) > self._most or self.weight > self._heaviest:
            _, forgotten = self._known.popitem(last=False)
            self.weight -= self._weigh(forgotten)
        return value
