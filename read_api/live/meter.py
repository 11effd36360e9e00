"""What a stream costs while it goes on: each answer is executed anew, and counts as a query for the same would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from read_api.documents import Asked, DocumentRefused
from read_api.rate import A_REQUEST, units

Pay = Callable[[int], Awaitable[int]]
"""Counts so many requests now. If they are too many: seconds until they are not, and nothing was counted."""


class Meter:
    """Counts answers that cost `cost` each, whole requests ahead. Those of the beginning were counted when it began.

    An answer costs at least one: there is no stream of answers that are free.
    """

    def __init__(self, cost: int, pay: Pay) -> None:
        self._cost = max(1, cost)
        self._pay = pay
        self._left = units(cost) * A_REQUEST

    async def due(self) -> int:
        """Seconds until another answer may come, 0 for at once."""
        if self._left >= self._cost:
            return 0
        ahead = units(self._cost)
        seconds = await self._pay(ahead)
        if not seconds:
            self._left += ahead * A_REQUEST
        return seconds

    def answered(self) -> None:
        self._left -= self._cost


@dataclass(slots=True)
class Begun:
    """A stream that was counted as it began; `said` once what belongs beside its first answer was."""

    asked: Asked | DocumentRefused
    meter: Meter
    said: bool = False

    def found(self) -> Asked:
        """Raises DocumentRefused."""
        if isinstance(self.asked, DocumentRefused):
            raise self.asked
        return self.asked
