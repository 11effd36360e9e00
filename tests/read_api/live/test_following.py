"""What somebody who follows is told, however slow they are."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.products.row import StockRow
from read_api.errors import InvalidCursor
from read_api.live.following import Follower
from read_api.live.marks import LONGEST, mark, seen_of

ONE, OTHER = uuid4(), uuid4()


def row(id: UUID, version: int) -> StockRow:
    return StockRow(id, version, datetime(2026, 1, 1, tzinfo=UTC), uuid4())


async def told(follower: Follower[StockRow]) -> list[tuple[UUID, int]]:
    found = []
    while await follower.news(0):
        each = follower.take()
        found.append((each.id, each.version))
    return found


async def test_of_each_thing_only_the_newest_is_kept_for_who_is_slow() -> None:
    follower: Follower[StockRow] = Follower({})
    for version in range(1, 1000):
        follower.offer([row(ONE, version), row(OTHER, 2 * version)])
    assert sorted(await told(follower)) == sorted([(ONE, 999), (OTHER, 1998)])


async def test_nothing_older_comes_after_something_newer() -> None:
    follower: Follower[StockRow] = Follower({})
    follower.offer([row(ONE, 5)])
    assert await told(follower) == [(ONE, 5)]
    follower.offer([row(ONE, 4), row(ONE, 5)])
    assert await told(follower) == []


async def test_what_was_seen_before_is_not_told_again() -> None:
    follower: Follower[StockRow] = Follower({ONE: 3})
    follower.offer([row(ONE, 3), row(OTHER, 1)])
    assert await told(follower) == [(OTHER, 1)]
    assert follower.told == {ONE: 3, OTHER: 1}


async def test_what_is_not_followed_any_more_is_forgotten() -> None:
    follower: Follower[StockRow] = Follower({})
    follower.offer([row(ONE, 1), row(OTHER, 1)])
    await told(follower)
    follower.keep([OTHER])
    assert (follower.followed, follower.told) == ([OTHER], {OTHER: 1})


async def test_the_end_is_told() -> None:
    follower: Follower[StockRow] = Follower({})
    follower.end()
    assert not await follower.news(60)
    assert follower.ended


@given(st.dictionaries(st.uuids(), st.integers(0, 2**48 - 1), max_size=100))
def test_a_mark_says_what_was_seen(seen: dict[UUID, int]) -> None:
    assert seen_of(mark(seen)) == seen
    assert len(mark(seen)) <= LONGEST


@pytest.mark.parametrize("text", ["x", "é", "!!!!", "AAAA", "A" * (LONGEST + 1)])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        seen_of(text)
