"""What many pages look at is looked up once, and pages without events are sent what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from sagas.dashboard import shared
from sagas.dashboard.shared import Shared
from sagas.dashboard.ticking import ticks


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_who_asks_at_the_same_time_gets_the_same_answer_and_later_another():
    clock, numbers = Clock(), count(1)
    kept = Shared(clock)

    async def look() -> int:
        await asyncio.sleep(0)
        return next(numbers)

    assert await asyncio.gather(*(kept.of("orders", 2.0, look) for _ in range(3))) == [1, 1, 1]
    clock.now = 1.9
    assert await kept.of("orders", 2.0, look) == 1
    assert await kept.of("payments", 2.0, look) == 2
    clock.now = 2.0
    assert await kept.of("orders", 2.0, look) == 3


async def test_what_could_not_be_looked_up_is_looked_up_again():
    kept, numbers = Shared(), count()

    async def look() -> int:
        return 1 // next(numbers)

    with pytest.raises(ZeroDivisionError):
        await kept.of("orders", 60.0, look)
    assert await kept.of("orders", 60.0, look) == 1


async def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared, "MOST", 2)
    kept, numbers = Shared(Clock()), count(1)

    async def look() -> int:
        return next(numbers)

    assert [await kept.of(name, 60.0, look) for name in "abcc"] == [1, 2, 3, 3]
    assert await kept.of("a", 60.0, look) == 4


async def test_only_what_has_changed_is_sent_until_it_stops():
    said, stopping = iter(["one", "one", "two"]), asyncio.Event()

    async def fragment() -> str:
        text = next(said)
        if text == "two":
            stopping.set()
        return text

    sent = [message async for message in ticks(fragment, stopping, 0.001)]
    assert sent == [":\n\n", "id: \ndata: one\n\n", "id: \ndata: two\n\n"]


async def test_what_may_be_stale_is_given_once_more_and_looked_up_meanwhile():
    clock, numbers, may = Clock(), count(1), asyncio.Event()
    kept = Shared(clock, stale=True)

    async def look() -> int:
        await may.wait()
        return next(numbers)

    may.set()
    assert await kept.of("usual", 30.0, look) == 1
    clock.now = 31.0
    may.clear()
    assert [await kept.of("usual", 30.0, look) for _ in range(3)] == [1, 1, 1]
    may.set()
    await eventually(kept, look, 2)
    assert next(numbers) == 3, "it was looked up once for the three who asked"


async def test_what_cannot_be_looked_up_again_stays_what_it_was():
    clock, numbers = Clock(), count()
    kept = Shared(clock, stale=True)

    async def look() -> int:
        return 1 // (next(numbers) - 1)

    assert await kept.of("usual", 30.0, look) == -1
    clock.now = 31.0
    assert await kept.of("usual", 30.0, look) == -1
    await asyncio.sleep(0)
    assert await kept.of("usual", 30.0, look) == -1


async def eventually(kept: Shared, look: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(5):
        while await kept.of("usual", 30.0, look) != wanted:
            await asyncio.sleep(0)
