"""Aggregates at some of their versions, remembered: one with a long stream is folded from the nearest of them on.

States never change and logs only grow, so what was folded once is good as long as the log is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from domain.aggregate import Context
from projections.feed import Recorded
from projections.history import AsOf, Moment, Stream, bounds, folded, stretches

MOST: Final = 32  # aggregates
MARKS: Final = 64  # of one of them
EVERY: Final = 32  # events between two marks, until there are too many


@dataclass
class Marks:
    """Of one aggregate, the first first."""

    every: int = EVERY
    kept: list[AsOf] = field(default_factory=list)

    def before(self, version: int, position: int | None) -> AsOf | None:
        """The last one at or before both."""
        found = (
            mark
            for mark in reversed(self.kept)
            if version_of(mark) <= version and (position is None or mark.last.position <= position)
        )
        return next(found, None)

    def keep(self, found: AsOf) -> None:
        if version_of(found) % self.every or (self.kept and version_of(found) <= version_of(self.kept[-1])):
            return
        self.kept.append(found)
        if len(self.kept) > MARKS:
            self.every *= 2
            self.kept = [mark for mark in self.kept if version_of(mark) % self.every == 0]

    def pieces(self, events: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
        """Each ends where a mark belongs, or with the last event."""
        begin = 0
        for n, each in enumerate(events, 1):
            if each.event.originator_version % self.every == 0 or n == len(events):
                yield events[begin:n]
                begin = n


class Past:
    """`logs` are sealed: nothing that is personal is remembered."""

    def __init__(self, contexts: Mapping[str, Context], logs: Mapping[str, Stream]) -> None:
        self._contexts = contexts
        self._logs = logs
        self._known: OrderedDict[UUID, Marks] = OrderedDict()

    async def as_of(self, context: str, id: UUID, at: Moment | None = None) -> AsOf | None:
        """As `projections.history.as_of`. Raises NotReadable."""
        marks = self._marks(id)
        found = mark = marks.before(*(await bounds(self._logs[context], at)))
        again = version_of(mark) - 1 if mark else 0  # with the mark's own event, to see that it is the same log
        async for events in stretches(self._logs[context], id, at, after=again):
            if mark and events[0].event_id == mark.last.event_id:
                events, mark = events[1:], None  # noqa: PLW2901
            if mark:
                break
            for piece in marks.pieces(events):
                found = AsOf(folded(self._contexts[context], found.state if found else None, piece), piece[-1])
                marks.keep(found)
        if mark is None:
            return found
        del self._known[id]
        return await self.as_of(context, id, at)

    def _marks(self, id: UUID) -> Marks:
        marks = self._known.pop(id, None) or Marks()
        self._known[id] = marks
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return marks


def version_of(found: AsOf) -> int:
    return found.last.event.originator_version
