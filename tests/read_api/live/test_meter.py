"""A stream counts for what it costs, as it begins and with each of its answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.actor import Actor
from read_api.live.following import Follower
from read_api.live.meter import Meter
from tests.eventually import until
from tests.read_api.conftest import MOST_STREAMS, Api
from tests.read_api.live.events import streamed
from tests.read_api.live.test_changes import ORDER, STORY, version
from tests.read_api.live.test_socket import CUSTOMER, follow, greet, hear, opened, say
from tests.read_api.served import served
from tests.read_api.test_rate import Said

ONE = "subscription ($id: ID!) { orderChanged(id: $id) { order { version total { amount } } } }"
COST = {"requested": 2, "maximum": 5000}
DEEP = """subscription ($id: ID!) {
    orderChanged(id: $id) { order { version customer { orders(first: 89) { nodes { id } } } } }
}"""


class Limiter:
    """Counts what is admitted; `wait` are seconds for those who ask in vain."""

    def __init__(self) -> None:
        self.units: list[int] = []
        self.wait = 0
        self.asked = 0

    async def __call__(self, actor: Actor, scope: Any, units: int) -> Said:
        self.asked += 1
        if not self.wait:
            self.units.append(units)
        return Said(self.wait)


@pytest.fixture
def limiter(api: Api, monkeypatch: pytest.MonkeyPatch) -> Limiter:
    limiter = Limiter()
    monkeypatch.setattr(api.app, "_admit", limiter)
    return limiter


@pytest.fixture
async def address(api: Api) -> AsyncIterator[str]:
    await api.has_seen("orders", STORY[:1])
    async with served(api.app) as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    "cost, answers, counted", [(0, 100, 0), (0, 101, 1), (1, 100, 0), (40, 2, 0), (40, 3, 1), (250, 1, 0), (250, 2, 3)]
)
async def test_answers_are_counted_a_hundred_of_cost_at_a_time(cost: int, answers: int, counted: int) -> None:
    """Beside what was counted as the stream began, which is the same as for a query."""
    paid: list[int] = []

    async def pay(units: int) -> int:
        paid.append(units)
        return 0

    meter = Meter(cost, pay)
    for _ in range(answers):
        assert await meter.due() == 0
        meter.answered()
    assert sum(paid) == counted


async def test_a_stream_is_counted_by_its_cost_as_a_query_is(client: httpx.AsyncClient, limiter: Limiter) -> None:
    for query, who in (
        (ONE, "customer"),
        (DEEP, "customer"),
        (DEEP.replace("89", "90"), "customer"),
        ("subscription { nothing }", "customer"),
        (ONE, "forged"),
    ):
        async with streamed(client, query, who, id=str(ORDER)) as stream:
            await stream.response.aread() if who == "forged" else await stream.next()
    assert limiter.units == [1, 1, *(1, 1), 1, 1]


async def test_what_is_too_much_does_not_begin(client: httpx.AsyncClient, limiter: Limiter) -> None:
    limiter.wait = 4
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        error = json.loads(await stream.response.aread())["errors"][0]
        assert (stream.response.status_code, stream.response.headers["retry-after"]) == (429, "4")
    assert error["extensions"] == {"retryAfter": 4, "code": "RATE_LIMITED"}


async def test_a_socket_is_counted_and_each_of_its_operations_by_its_cost(address: str, limiter: Limiter) -> None:
    async with opened(f"{address.replace('http', 'ws')}/graphql") as socket:
        await greet(socket, **CUSTOMER)
        for id, query in enumerate((ONE, DEEP.replace("89", "90"), "{", "subscription { nothing }")):
            await follow(socket, str(id), query)
            await hear(socket)
        assert limiter.units == [1, 1, *(1, 1), 1, 1]
        limiter.wait = 4
        await follow(socket, "9", ONE)
        (error,) = (await hear(socket))["payload"]
        assert error["extensions"] == {"retryAfter": 4, "code": "RATE_LIMITED"}


async def test_a_forged_token_is_counted_on_a_socket_too(address: str, limiter: Limiter) -> None:
    async with opened(f"{address.replace('http', 'ws')}/graphql") as socket:
        await say(socket, type="connection_init", payload={"Authorization": "Bearer forged"})
        await socket.wait_closed()
    assert limiter.units == [1]


async def test_the_cost_is_said_with_the_first_answer(api: Api, client: httpx.AsyncClient) -> None:
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        assert (await stream.next()).data["extensions"] == {"cost": COST}
        await api.has_seen("orders", STORY[1:2])
        assert "extensions" not in (await stream.next()).data


async def test_it_is_said_over_a_socket_as_well(api: Api, address: str) -> None:
    async with opened(f"{address.replace('http', 'ws')}/graphql") as socket:
        await greet(socket, **CUSTOMER)
        await follow(socket, query=ONE)
        assert (await hear(socket))["payload"]["extensions"] == {"cost": COST}
        await api.has_seen("orders", STORY[1:2])
        assert "extensions" not in (await hear(socket))["payload"]


async def test_who_has_used_up_everything_waits_and_is_told_the_newest(
    api: Api, client: httpx.AsyncClient, limiter: Limiter
) -> None:
    async with streamed(client, DEEP, id=str(ORDER)) as stream:
        assert version(await stream.data()) == 1
        limiter.wait, limiter.asked = 1, 0
        await api.has_seen("orders", STORY[1:2])
        await until(lambda: limiter.asked > 0)
        await api.has_seen("orders", STORY[2:])
        limiter.wait = 0
        assert version(await stream.data()) == 3
    assert limiter.units == [1, 1]


async def test_who_rests_is_told_of_the_end() -> None:
    follower: Follower[Any] = Follower({})
    follower.end()
    await follower.rest(60)


async def test_a_socket_has_so_many_streams_and_no_more(address: str) -> None:
    """Even before each of them has got its place among all of its owner's."""
    async with opened(f"{address.replace('http', 'ws')}/graphql") as socket:
        await greet(socket, **CUSTOMER)
        for id in range(MOST_STREAMS + 1):
            await follow(socket, str(id))
        heard = [await hear(socket) for _ in range(MOST_STREAMS + 1)]
    (refused,) = [message for message in heard if message["type"] == "error"]
    assert refused["id"] == str(MOST_STREAMS)
    assert refused["payload"][0]["extensions"] == {"maximum": MOST_STREAMS, "code": "TOO_MANY_STREAMS"}
