"""States as the log has them now: whoever asks in the same turn asks once, and answers for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from commands.log import Log
from commands.states import KnownStates
from domain.errors import NotFound

BROKEN = UUID(int=9)


class Loads:
    """A log of aggregates without events, one of which cannot be read."""

    def __init__(self) -> None:
        self.asked: list[set[UUID]] = []

    async def load(self, known: Mapping[UUID, Any]) -> dict[UUID, Any]:
        self.asked.append(set(known))
        if BROKEN in known:
            raise NotFound("user", BROKEN)
        return dict.fromkeys(known)


async def test_what_is_asked_for_in_one_turn_goes_in_one_query() -> None:
    log, ids = Loads(), [uuid4() for _ in range(3)]
    known = KnownStates(cast(Log, log))
    answers = await asyncio.gather(*(known.current([id]) for id in ids))
    assert answers == [{id: None} for id in ids]
    assert log.asked == [set(ids)]
    await known.current(ids[:1])
    assert log.asked[1:] == [{ids[0]}]  # whoever asks later is not told what was so before


async def test_what_cannot_be_read_is_told_to_who_asked_for_it_alone() -> None:
    log, id = Loads(), uuid4()
    known = KnownStates(cast(Log, log))
    well, badly = (asyncio.create_task(known.current([each])) for each in (id, BROKEN))
    assert await well == {id: None}
    with pytest.raises(NotFound):
        await badly
    assert log.asked == [{id, BROKEN}, {id}, {BROKEN}]


async def test_who_stops_waiting_takes_nobody_along() -> None:
    log, ids = Loads(), [uuid4(), uuid4()]
    known = KnownStates(cast(Log, log))
    first, second = (asyncio.create_task(known.current([id])) for id in ids)
    await asyncio.sleep(0)
    first.cancel()
    assert await second == {ids[1]: None}
    with pytest.raises(asyncio.CancelledError):
        await first
