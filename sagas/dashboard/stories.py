"""Sagas as their streams tell them, remembered: of a long one only what has come since is read at the next look."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from projections.feed import Recorded, Unreadable
from sagas.dashboard.port import Log
from sagas.story import Story, continued, recorded

MOST: Final = 32


@dataclass(frozen=True, slots=True)
class Untold:
    """A saga whose stream is there, but not understood: what can be read of it is shown all the same."""

    id: UUID
    why: str
    recorded: Sequence[Recorded]


class Stories:
    """`log` is sealed: nothing that is personal is remembered."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._known: OrderedDict[UUID, Story] = OrderedDict()

    async def of(self, id: UUID) -> Story | Untold:
        """Of a saga, or of the one that worked an order last. Raises NotFound."""
        known = self._known.pop(id, None)
        if known is None:
            return self._kept(None, await recorded(self._log, id))
        last = known.recorded[-1]
        found = await self._log.stream(id, last.event.originator_version - 1)
        if not found or found[0].event_id != last.event_id:  # it is another log by now
            return self._kept(None, await recorded(self._log, id))
        return self._kept(known, found[1:])

    def _kept(self, known: Story | None, more: Sequence[Recorded]) -> Story | Untold:
        try:
            story = continued(known, more)
            assert story.definition
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, its page says so
            every = [*known.recorded, *more] if known else more
            return Untold(every[0].event.originator_id, why_untold(every, error), every)
        self._known[story.saga.id] = story
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return story


def why_untold(recorded: Sequence[Recorded], error: Exception) -> str:
    """The first event that cannot be read, or else that what there is does not fit together."""
    for each in recorded:
        if isinstance(each.event, Unreadable):
            return f"event {each.event.originator_version}, {each.event.topic}, cannot be read ({each.event.reason})"
    return f"its events do not follow from each other by the rules of this release ({type(error).__name__})"
