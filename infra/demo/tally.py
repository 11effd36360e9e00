"""How many orders of the sample shop stand where."""

from __future__ import annotations

from collections import Counter
from typing import Final

WAITING, CONFIRMED, REJECTED, CANCELLED, RETURNED = "waiting", "confirmed", "rejected", "cancelled", "returned"

OPEN: Final = frozenset({"PLACED", "CANCEL_PENDING"})
ENDS: Final = {"REJECTED": REJECTED, "EXPIRED": REJECTED, "CANCELLED": CANCELLED, "RETURNED": RETURNED}


class Tally:
    """Each order that was placed stands in one place: what its status says, `returned` once a piece came back.

    `waiting` are those that are not decided yet, and those whose saga needs an operator.
    """

    def __init__(self) -> None:
        self._places: Counter[str] = Counter()
        self.placed = 0
        self.refused = 0
        self.last_refusal = ""

    def place(self) -> str:
        self.placed += 1
        self._places[WAITING] += 1
        return WAITING

    def move(self, where: str, to: str) -> str:
        self._places[where] -= 1
        self._places[to] += 1
        return to

    def refuse(self, why: str) -> None:
        """A command of the shop's, whatever for."""
        self.refused += 1
        self.last_refusal = why

    def counts(self) -> dict[str, int]:
        places = {place: self._places[place] for place in (CONFIRMED, REJECTED, CANCELLED, RETURNED, WAITING)}
        return {"placed": self.placed, **places, "refused": self.refused}


def place_of(status: str, *, returned: bool, stuck: bool) -> str:
    if stuck or status in OPEN:
        return WAITING
    return RETURNED if returned else ENDS.get(status, CONFIRMED)
