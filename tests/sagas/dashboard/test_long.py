"""What is long is folded and paged: a page stays small, and all of it can be reached by an address."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest

from sagas.dashboard import aggregate_pages, causes, one_saga, operator_log
from sagas.dashboard.versions import VERSIONS
from tests.sagas.dashboard.house import OPERATOR, House
from tests.sagas.dashboard.test_frame import signed_in


class Reader:
    """Follows what pages offer, without JavaScript."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client = httpx.Client(base_url=house.address, cookies=signed_in(house, OPERATOR))

    def get(self, address: str) -> httpx.Response:
        return self.client.get(address if address.startswith("/dashboard") else f"/dashboard{address}")

    def pages(self, address: str | None, of: str) -> Iterator[str]:
        """From one to the next, to the last."""
        while address is not None:
            answer = self.get(address)
            assert answer.status_code == 200, answer.text
            yield answer.text
            nav = answer.text.partition(f'aria-label="Pages of {of}"')[2].partition("</nav>")[0]
            address = self.link(nav, r'rel="next" href="([^"]+)"')

    @staticmethod
    def link(text: str, pattern: str) -> str | None:
        found = re.search(pattern, text)
        return html.unescape(found[1]) if found else None


@pytest.fixture
def reader(house: House) -> Iterator[Reader]:
    found = Reader(house)
    with found.client:
        yield found


def attempts(text: str) -> int:
    return text.count("<code>POST /v1/payments/")


def test_of_many_attempts_the_newest_are_shown_and_the_timeline_has_the_others(
    house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch
):
    address = f"/sagas/{house.saga('stuck')}"
    assert attempts(reader.get(address).text) == 3
    monkeypatch.setattr(one_saga, "ATTEMPTS", 1)
    text = reader.get(address).text
    assert attempts(text) == 1
    assert "2 earlier, in the timeline" in text
    earlier = reader.link(text, r'<li class="earlier"[^>]*><a href="([^"]+)#timeline"')
    assert earlier is not None
    newest = reader.get(earlier).text.partition('<ol class="timeline"')[2].partition("</li>")[0]
    assert "capture payment, attempt 2" in newest
    assert attempts(reader.get(f"{address}/bundle").text) == 3


def test_of_many_actions_it_is_said_how_many_there_are(house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operator_log, "ACTED", 1)
    assert re.search(r"The newest 1: \d+ were done in all", reader.get(f"/sagas/{house.saga('stuck')}").text)


def test_a_long_test_is_shown_from_its_beginning_and_the_file_has_all_of_it(
    house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch
):
    address = f"/sagas/{house.saga('done')}/test"
    whole = reader.get(address).text
    assert 'data-copy="test"' in whole
    monkeypatch.setattr(one_saga, "LINES", 5)
    text = reader.get(address).text
    assert "These are the first 5 of its" in text
    assert 'data-copy="test"' not in text
    file = reader.get(reader.link(text, r'href="([^"]+)" download') or "")
    assert file.headers["content-disposition"].startswith('attachment; filename="test_checkout_')
    assert html.escape(file.text, quote=False) in html.unescape(whole).replace("<", "&lt;").replace(">", "&gt;")


def rows(text: str) -> list[str]:
    """Numbers and types of what caused what."""
    table = text.partition('<table class="causation-rows">')[2].partition("</table>")[0]
    return re.findall(r'<tr id="n-(\d+)">.*?<td>(?:<b>)?([a-z.-]+)', table, re.DOTALL)


def test_what_caused_what_is_paged_and_causes_on_other_pages_are_linked(
    house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch
):
    address = f"/sagas/{house.saga('done')}/causes"
    (one,) = reader.pages(address, "the events")
    monkeypatch.setattr(causes, "SIZE", 10)
    several = list(reader.pages(address, "the events"))
    assert len(several) == -(-len(rows(one)) // 10) > 3
    assert [row for text in several for row in rows(text)] == rows(one)
    assert f"11 to 20 of {len(rows(one))}" in several[1]
    assert 'rel="prev"' not in several[0]
    across = [found for text in several for found in re.findall(r'href="([^"#]+)#(n-\d+)"', text)]
    assert across
    for there, anchor in across:
        assert f'id="{anchor}"' in reader.get(html.unescape(there)).text


@pytest.mark.parametrize("number, status", [("0", 400), ("x", 400), ("100001", 404)])
def test_a_page_that_there_is_not_is_said_so(house: House, reader: Reader, number: str, status: int):
    answer = reader.get(f"/sagas/{house.saga('done')}/causes?from={number}")
    assert (answer.status_code, number in answer.text) == (status, True)


def test_many_changes_are_paged_and_a_long_state_is_in_a_file(
    house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch
):
    address = f"/aggregates/sagas/{house.saga('stuck')}?at=20&since=1"

    def changed(text: str) -> list[str]:
        table = text.partition('<table class="changes">')[2].partition("</table>")[0]
        return re.findall(r'<th scope="row">([^<]+)<td>', table)

    (one,) = reader.pages(address, "changes")
    assert "the file has them all" not in one
    monkeypatch.setattr(aggregate_pages, "CHANGES", 5)
    monkeypatch.setattr(aggregate_pages, "LINES", 7)
    several = list(reader.pages(address, "changes"))
    assert len(several) > 2
    assert [place for text in several for place in changed(text)] == changed(one)
    assert "These are the first 7 of" in several[0]
    state = reader.get(reader.link(several[0], r'href="([^"]+)" download') or "").json()
    assert (state["version"], state["process"]) == (20, "checkout")


def test_a_page_that_there_is_too_little_of_for_pages_has_none(house: House, reader: Reader):
    assert 'aria-label="Pages of changes"' not in reader.get(f"/aggregates/sagas/{house.saga('done')}").text


# -- many who look at the same -----------------------------------------------------------------------------------------


async def followed(reader: Reader, path: str, heard: list[str]) -> None:
    """Until cancelled."""
    cookies = reader.client.cookies
    async with (
        httpx.AsyncClient(base_url=reader.house.address, cookies=cookies, timeout=60) as client,
        client.stream("GET", path, headers={"hx-request": "true"}) as answer,
    ):
        assert answer.headers.get("content-encoding") is None
        async for line in answer.aiter_lines():
            heard += [line] if line.startswith("id:") else []


async def test_pages_of_many_sagas_ask_together_at_which_version_these_are(
    house: House, reader: Reader, monkeypatch: pytest.MonkeyPatch
):
    """And what has not moved is not sent again."""
    said: list[Any] = []
    execute = psycopg.AsyncCursor.execute

    async def told(cursor: Any, query: Any, values: Any = None, **more: Any) -> Any:
        if query == VERSIONS:
            said.append(values)
        return await execute(cursor, query, values, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", told)
    names = ["done", "rejected", "waiting", "stuck"]
    heard: dict[str, list[str]] = {name: [] for name in names}
    live = r'hx-sse:connect="([^"]+)"'
    paths = {name: reader.link(reader.get(f"/sagas/{house.saga(name)}").text, live) or "" for name in names}
    following = [asyncio.create_task(followed(reader, paths[name], heard[name])) for name in names]
    async with asyncio.timeout(30):
        while not all(heard.values()):  # each begins with the position that its page shows
            await asyncio.sleep(0.05)
        for n in range(2):
            before = len(said)
            await asyncio.to_thread(house.place, f"moved {n}", "pm_card_visa", "ENDED")
            while len(said) == before:
                await asyncio.sleep(0.05)
    for each in following:
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each
    assert {str(id) for id in said[-1][0]} >= {house.saga(name) for name in names}
