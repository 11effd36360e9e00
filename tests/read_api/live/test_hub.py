"""One look for all who follow, whatever happens to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from projections.pool import Pool
from projections.products.queries import STOCK
from projections.products.row import StockRow
from read_api.errors import TooManyStreams
from read_api.live.following import Follower
from read_api.live.hub import Live
from read_api.live.sources import offer
from tests.read_api.conftest import Api

THING = uuid4()


class Rows:
    """A source in memory, which counts looks and fails as long as it is told to."""

    def __init__(self) -> None:
        self.version = 1
        self.looks = 0
        self.fails: Exception | None = None

    async def look(self, pool: Pool, followers: Mapping[UUID, Sequence[Follower[Any]]]) -> None:
        self.looks += 1
        if self.fails:
            raise self.fails
        for id, those in followers.items():
            for follower in those:
                follower.offer([StockRow(id, self.version, datetime(2026, 1, 1, tzinfo=UTC), id)])


async def told(follower: Follower[Any]) -> tuple[UUID, int]:
    assert await follower.news(0)
    row = follower.take()
    return row.id, row.version


@pytest.mark.parametrize("error", [RuntimeError("a bug"), psycopg.OperationalError("away"), OSError("away")])
async def test_what_fails_for_some_is_told_to_the_others_and_later_to_them(api: Api, error: Exception) -> None:
    broken, well, live = Rows(), Rows(), Live(api.pool, api.news)
    broken.fails = error
    async with live.following(broken, [THING], {}, "ann") as unlucky, live.following(well, [THING], {}, "bob") as lucky:
        await live.look()
        assert not await unlucky.news(0)
        assert await told(lucky) == (THING, 1)
        broken.fails = None
        await live.look()
        assert await told(unlucky) == (THING, 1)


async def test_one_look_serves_all_who_follow_the_same_source(api: Api) -> None:
    rows, live = Rows(), Live(api.pool, api.news, most=100)
    async with live.following(rows, [THING], {}, "ann") as one, live.following(rows, [THING, uuid4()], {}, "bob"):
        await live.look()
        assert rows.looks == 1
        assert live.followers == 2
        assert await told(one) == (THING, 1)


async def test_places_are_given_back(api: Api) -> None:
    live = Live(api.pool, api.news, most=1)
    with live.place("ann"):
        with pytest.raises(TooManyStreams), live.place("ann"):
            pass
        with live.place("bob"):
            assert live.places_taken == 2
    assert live.places_taken == 0


async def test_nothing_is_read_that_nobody_lacks(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(STOCK, "many", never)
    follower: Follower[StockRow] = Follower({THING: 3})
    await offer(STOCK, api.pool, {(THING, THING, 3): [follower]})
    assert not await follower.news(0)
