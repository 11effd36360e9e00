"""The generic cell rate algorithm (ITU-T I.371): a bucket that is known by one number, when it will be whole again.

A bucket of `allowed` tokens fills at `allowed` a minute. Taking one moves the moment at which it is whole by one share
of the minute; what would move it further ahead than a minute is refused. All times are in microseconds, of one clock.

What was taken here and is not known elsewhere yet is an amount and the moment when the first of it was taken. Another's
bucket takes it over as `max(full_at, since) + taken`, in whatever order such amounts come: buckets that exchange them
agree, and differ from one that had seen each request at its time by at most what comes in between two exchanges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
MOST: Final = 2 * MINUTE
"""The furthest ahead that a bucket may be whole: nobody waits for longer, whatever a clock has done."""

NEVER: Final = -(1 << 62)


@dataclass(slots=True)
class Bucket:
    """`taken` is not sent yet and `sent` not answered; `since` is when the first of `taken` was taken."""

    full_at: int = NEVER
    taken: int = 0
    since: int = 0
    sent: int = 0
    answered_at: int = NEVER

    def wait(self, allowed: int, now: int, cost: int = 1) -> int:
        """How long until so many can be taken, 0 for at once. More than the bucket holds is as good as all it holds."""
        return max(0, self._from(now) + min(cost, allowed) * share(allowed) - now - whole(allowed))

    def take(self, allowed: int, now: int, cost: int = 1) -> None:
        """After `wait` has said 0."""
        if not self.taken:
            self.since = now
        amount = min(cost, allowed) * share(allowed)
        self.full_at = self._from(now) + amount
        self.taken += amount

    def left(self, allowed: int, now: int) -> int:
        return max(0, now + whole(allowed) - self._from(now)) // share(allowed)

    def lacks(self, now: int) -> int:
        """How long until it is whole."""
        return self._from(now) - now

    def send(self) -> tuple[int, int]:
        """(since, taken) of what is to be told."""
        told = self.since, self.taken
        self.sent, self.taken = self.taken, 0
        return told

    def unsend(self, since: int) -> None:
        """What was sent did not arrive."""
        if self.sent:
            self.since = since
        self.taken, self.sent = self.taken + self.sent, 0

    def answer(self, full_at: int, now: int) -> None:
        """The shared one, with what was sent in it, as it was when it answered.

        Its own is right about its own requests: the shared one may be behind it by as much as one exchange lasts.
        """
        shared = max(full_at, self.since) + self.taken if self.taken else full_at
        self.full_at = max(self.full_at, shared)
        self.sent, self.answered_at = 0, now

    def _from(self, now: int) -> int:
        self.full_at = min(self.full_at, now + MOST)  # a clock that was set back must not lock anybody out
        return max(self.full_at, now)


def share(allowed: int) -> int:
    """Of one request."""
    return MINUTE // allowed


def whole(allowed: int) -> int:
    """A minute, but for what does not divide."""
    return share(allowed) * allowed
