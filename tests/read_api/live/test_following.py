"""What somebody who follows is told, however slow they are."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.products.row import StockRow
from read_api.errors import InvalidCursor
from read_api.live.following import FIRST, MOST, Follower
from read_api.live.marks import LONGEST, WHEN, mark, seen_of
from tests.specification import AT

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


@given(st.dictionaries(st.uuids().filter(lambda id: id != WHEN), st.integers(0, 2**48 - 1), max_size=100))
def test_a_mark_says_what_was_seen(seen: dict[UUID, int]) -> None:
    assert seen_of(mark(seen, AT)) == (seen, AT)
    assert len(mark(seen, AT)) <= LONGEST


@pytest.mark.parametrize("text", ["x", "é", "!!!!", "AAAA", "A" * (LONGEST + 1)])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        seen_of(text)


LONG_AGO, LATELY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def test_of_a_list_the_first_are_told_and_the_others_when_they_change() -> None:
    follower: Follower[StockRow] = Follower({})
    assert follower.wants(ONE, 5, FIRST, LONG_AGO)
    assert not follower.wants(OTHER, 5, FIRST + 1, LATELY)
    follower.offer([row(ONE, 5)])
    follower.keep([ONE, OTHER])
    assert not follower.wants(ONE, 5, FIRST, LONG_AGO)
    assert not follower.wants(OTHER, 5, FIRST + 1, LONG_AGO)
    assert follower.wants(OTHER, 6, FIRST + 1, LONG_AGO)
    assert follower.wants(uuid4(), 1, MOST, LONG_AGO), "it is new, wherever it stands"


def test_who_comes_back_is_told_what_may_have_changed_meanwhile() -> None:
    follower: Follower[StockRow] = Follower({ONE: 5}, since=datetime(2026, 2, 1, tzinfo=UTC))
    assert not follower.wants(ONE, 5, 1, LATELY)
    assert follower.wants(OTHER, 5, FIRST + 1, LATELY)
    assert not follower.wants(uuid4(), 5, FIRST + 1, LONG_AGO)


async def test_a_cursor_names_the_last_that_were_told() -> None:
    follower: Follower[StockRow] = Follower({})
    ids = [uuid4() for _ in range(FIRST + 1)]
    follower.offer([row(id, 1) for id in ids])
    await told(follower)
    assert list(follower.told) == ids[1:]
    follower.offer([row(ids[1], 2)])
    await told(follower)
    assert list(follower.told) == [*ids[2:], ids[1]]


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        seen_of(mark({WHEN: 2**48 - 1}, AT))


async def test_who_takes_nothing_of_a_list_that_moves_on_is_told_a_bounded_number() -> None:
    follower: Follower[StockRow] = Follower({})
    those: list[UUID] = []
    for _ in range(4):
        those = [uuid4() for _ in range(MOST)]
        follower.offer(row(id, 1) for id in those)
        follower.keep(those)
    assert len(await told(follower)) == 2 * MOST
    assert follower.told.keys() <= set(those)
