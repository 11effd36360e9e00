"""ETag, If-Match and If-None-Match."""

from __future__ import annotations

import httpx
import pytest

from commands.preconditions import unchanged
from domain.ids import new_id
from tests.commands.http.shop import FakeLoop, client

pytestmark = pytest.mark.asyncio


async def stall(c: httpx.AsyncClient) -> str:
    answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers={"idempotency-key": str(new_id())})
    return str(answer.json()["links"]["self"])


async def rename(c: httpx.AsyncClient, address: str, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await c.post(f"{address}/rename", json={"name": "Meat"}, headers=sent)


async def test_an_edit_without_if_match_is_428(loop: FakeLoop):
    async with client(loop) as c:
        answer = await rename(c, await stall(c))
    assert (answer.status_code, answer.json()["code"]) == (428, "PRECONDITION_REQUIRED")


async def test_an_edit_on_a_stale_version_is_412_and_names_the_present_one(loop: FakeLoop):
    async with client(loop) as c:
        address = await stall(c)
        await rename(c, address, if_match='"1"')
        answer = await rename(c, address, if_match='"1"')
    assert (answer.status_code, answer.json()["code"]) == (412, "STALE_VERSION")
    assert answer.json()["facts"]["current"] == 2


async def test_a_star_matches_whatever_version_there_is(loop: FakeLoop):
    async with client(loop) as c:
        address = await stall(c)
        await rename(c, address, if_match="*")
        answer = await rename(c, address, if_match="*")
    assert answer.json()["version"] == 3


@pytest.mark.parametrize("tag", ['W/"1"', '"abc"', '""', '"01"'])
async def test_a_tag_that_can_match_nothing_is_412(loop: FakeLoop, tag: str):
    async with client(loop) as c:
        answer = await rename(c, await stall(c), if_match=tag)
    assert (answer.status_code, answer.json()["code"]) == (412, "PRECONDITION_FAILED")


@pytest.mark.parametrize("tag", ["1", "'1'", '"1', '"1", "2"', ""])
async def test_what_is_no_tag_is_400(loop: FakeLoop, tag: str):
    async with client(loop) as c:
        answer = await rename(c, await stall(c), if_match=tag)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_HEADER")


async def test_looking_gives_version_status_and_etag(loop: FakeLoop):
    async with client(loop) as c:
        address = await stall(c)
        answer = await c.get(address)
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"1"'
    assert answer.json() == {"id": address[-36:], "version": 1, "status": "OPEN"}


async def test_head_is_get_without_a_body(loop: FakeLoop):
    async with client(loop) as c:
        answer = await c.head(await stall(c))
    assert (answer.status_code, answer.headers["etag"], answer.content) == (200, '"1"', b"")


async def test_what_has_not_changed_is_304(loop: FakeLoop):
    async with client(loop) as c:
        address = await stall(c)
        same = await c.get(address, headers={"if-none-match": 'W/"1"'})
        other = await c.get(address, headers={"if-none-match": '"2"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert other.status_code == 200


async def test_other_peoples_things_are_not_there(loop: FakeLoop):
    async with client(loop) as c:
        address = await stall(c)
    async with client(loop, "bob") as c:
        hidden, absent = await c.get(address), await c.get(f"/v1/stalls/{new_id()}")
    async with client(loop, "staff") as c:
        assert (await c.get(address)).status_code == 200
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json().keys() == absent.json().keys()
    assert hidden.json()["code"] == absent.json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "header, same",
    [('"3"', True), ('W/"3"', True), ('"2", "3"', True), ("*", True), ('"2"', False), ("3", False), ('"3" x', False)],
)
async def test_if_none_match_compares_weakly_and_takes_lists(header: str, same: bool):
    assert unchanged(header.encode(), 3) is same
