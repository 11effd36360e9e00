"""What is remembered of a topic while it is read: which positions were met, and what each partition still has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.verify.finding import Finding


@dataclass(slots=True)
class Seen:
    """Which positions were met: a bit each."""

    _bits: bytearray = field(default_factory=bytearray)

    def add(self, position: int) -> None:
        byte = position >> 3
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1 - len(self._bits) + 4096))
        self._bits[byte] |= 1 << (position & 7)

    def __contains__(self, position: int) -> bool:
        byte = position >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & (1 << (position & 7)))


@dataclass(slots=True)
class Partition:
    """What is left of it: whether some has expired, and the position of the first message that has not.

    `of` counts the topic's partitions.
    """

    number: int
    of: int
    expired: bool
    first: int | None = None
    last: dict[int, int] = field(default_factory=dict)
    """By slice, the highest position so far."""
    late: dict[int, Finding] = field(default_factory=dict)
    """By slice, what came after a later one, until that one comes again: then a stretch was sent once more."""


@dataclass(frozen=True, slots=True)
class Run:
    """Events that are missing one after another in a partition."""

    first: int
    last: int
    count: int

    def longer(self, position: int) -> Run:
        return Run(self.first, position, self.count + 1)

    def __str__(self) -> str:
        return (
            f"event {self.first}"
            if self.count == 1
            else f"a run of {self.count} events from {self.first} to {self.last}"
        )


def homes(slice: int, partitions: int) -> set[int]:
    """Where a slice is now or was when there were fewer partitions: they can only become more."""
    return {slice % n for n in range(1, partitions + 1)}


def floor(slice: int, partitions: Sequence[Partition], published: int) -> int:
    """Up to which position events of the slice may have expired."""
    candidates = [p for p in partitions if p.number in homes(slice, len(partitions))]
    expired = [published if p.first is None else p.first for p in candidates if p.expired]
    return max(expired, default=0)
