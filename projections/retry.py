"""How often, and how long, something is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses double from `first` to `longest` seconds; each is cut by up to half, by chance.

    By chance, so that what failed together is not tried together again. It ends after so many `attempts`, or when
    trying has gone on `within` so many seconds, whichever comes first; with neither it never ends.
    """

    first: float = 1.0
    longest: float = 300.0
    attempts: int | None = None
    within: float | None = None

    def pause(self, attempt: int, dice: Random) -> float:
        """Seconds to wait after this attempt, the first of which is 1."""
        full = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        return full * (1 - dice.random() / 2)

    def over(self, attempts: int, seconds: float) -> bool:
        """Whether, after so many attempts in so many seconds, there is no next one."""
        spent = self.attempts is not None and attempts >= self.attempts
        return spent or (self.within is not None and seconds >= self.within)


UNTIL_DONE: Final = RetryPolicy()
