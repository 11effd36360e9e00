"""`Prefer: wait`: the answer comes when what goes on by itself has ended, or when the time is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from uuid import UUID

import httpx
import pytest

from commands.app import app
from commands.http import CommandApi
from commands.log import Unavailable
from commands.prefer import wait
from commands.table import Table
from domain.ids import new_id
from tests.commands.http.shop import (
    CONTEXT,
    INCARNATION,
    RESOURCES,
    ROUTES,
    FakeLoop,
    Status,
    authenticate,
    no_keys,
    services,
)
from tests.eventually import until

WAITING = [replace(route, waits=route.verb == "" and route.collection == "stalls") for route in ROUTES]


@dataclass
class Going:
    """Goes on until it is closed. Remembers for how long it was asked to wait, and when it was given up."""

    loop: FakeLoop
    asked: list[float] = field(default_factory=list)
    given_up: bool = False
    never: bool = False

    async def __call__(self, context: str, id: UUID, within: float) -> bool:
        self.asked.append(within)
        try:
            if self.never:
                await asyncio.Future()
        except asyncio.CancelledError:
            self.given_up = True
            raise
        self.loop.states_[id] = replace(self.loop.states_[id], version=5, status=Status.CLOSED)
        return True


@pytest.fixture
def going(loop: FakeLoop) -> Going:
    return Going(loop)


def served(going: Going, longest: int = 30):
    used = replace(services(going.loop), settled=going)
    table, loops = Table(WAITING, RESOURCES), {CONTEXT: going.loop}
    return CommandApi(table, loops, {CONTEXT: INCARNATION}, used, authenticate, longest_wait=longest)


async def opened(going: Going, longest: int = 30, key: str = "", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app(served(going, longest), WAITING, RESOURCES, jwks=no_keys))
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as c:
        sent = {"authorization": "Bearer ann", "idempotency-key": key or str(new_id()), **headers}
        return await c.post("/v1/stalls", json={"name": "Tea"}, headers=sent)


async def test_the_answer_shows_the_newest_and_says_what_was_waited_for(going):
    answer = await opened(going, prefer="wait=5")
    assert (answer.status_code, answer.json()["status"], answer.json()["version"]) == (201, "CLOSED", 5)
    assert (answer.headers["preference-applied"], answer.headers["etag"]) == ("wait=5", '"5"')
    assert going.asked == [5]


async def test_nobody_waits_who_did_not_ask(going):
    answer = await opened(going)
    assert (answer.json()["status"], going.asked) == ("OPEN", [])
    assert "preference-applied" not in answer.headers


async def test_nobody_waits_for_longer_than_is_allowed(going):
    answer = await opened(going, longest=2, prefer="wait=100")
    assert (answer.headers["preference-applied"], going.asked) == ("wait=2", [2])
    assert "preference-applied" not in (await opened(going, longest=0, prefer="wait=100")).headers


async def test_a_repeated_request_waits_as_the_first_did(going):
    first = await opened(going, key="same")
    again = await opened(going, key="same", prefer="wait=3")
    assert again.headers["idempotent-replayed"] == "true"
    assert (first.json()["status"], again.json()["status"]) == ("OPEN", "CLOSED")


async def test_what_was_done_is_answered_though_it_cannot_be_waited_for(going):
    class Away(Going):
        async def __call__(self, context: str, id: UUID, within: float) -> bool:
            raise Unavailable("away")

    answer = await opened(Away(going.loop), prefer="wait=1")
    assert (answer.status_code, answer.json()["status"]) == (201, "OPEN")


async def test_who_goes_away_ends_the_wait(going):
    going.never = True
    body, gone, sent = [{"type": "http.request", "body": b'{"name": "Tea"}'}], asyncio.Event(), []

    async def receive():
        if body:
            return body.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = {"authorization": "Bearer ann", "idempotency-key": "k", "content-type": "application/json"}
    headers["prefer"] = "wait=20"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/v1/stalls", "headers": raw}
    request = asyncio.create_task(served(going)(scope, receive, send))
    await until(lambda: bool(going.asked))
    gone.set()
    await request
    assert going.given_up
    assert sent == []


@pytest.mark.parametrize(
    "lines, seconds",
    [
        (["wait=5"], 5),
        (["Wait = 5"], 5),
        (['wait="5"'], 5),
        (["respond-async, wait=10"], 10),
        (["respond-async; x=1 ;y, wait=10;z"], 10),
        (["respond-async", "wait=10"], 10),
        (['note="a, wait=3", wait=4'], 4),
        ([", ,wait=4"], 4),
        (["wait=1, wait=2"], 1),
        (["wait=0"], 0),
        (["wait=x, wait=2"], None),
        (["wait"], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=5 6"], None),
        (["waiting=5"], None),
        (["=5, wait=5"], None),
        ([""], None),
        (["a" + ";  " * 300 + '"'], None),
        (["wait=" + "9" * 50], None),
    ],
)
def test_the_header_is_read_as_the_rfc_says(lines, seconds):
    assert wait([(b"prefer", line.encode()) for line in lines]) == seconds
