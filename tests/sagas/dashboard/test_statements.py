"""How many statements each page makes, so that none comes to make one for each thing that it shows.

A page that comes to need another one gets another number here: say in the commit what it is for.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import httpx
import psycopg
import pytest
from starlette.requests import Request

from sagas.dashboard import guard
from sagas.dashboard.desk import Desk
from sagas.dashboard.pages import PAGES
from sagas.dashboard.session import Over, Session
from sagas.dashboard.shared import Shared
from tests.sagas.dashboard.house import OPERATOR, House
from tests.sagas.dashboard.test_frame import signed_in

STATEMENTS: Final = {
    "/": 17,
    "/sagas": 10,
    "/sagas?state=needs-a-person": 7,
    "/sagas?age=slow": 7,
    "/sagas?q={stuck}": 9,
    "/sagas/{stuck}": 7,
    "/sagas/{stuck}/causes": 15,
    "/sagas/{stuck}/test": 3,
    "/sagas/{stuck}/act/retry": 3,
    "/models": 4,
    "/models/sagas": 4,
    "/parked": 4,
    "/parked/cause?fingerprint=none": 4,
    "/events": 16,
    "/events?context=sagas": 4,
    "/events?context=sagas&since=2026-01-01": 5,
    "/aggregates/sagas/{stuck}": 6,
    "/aggregates/sagas/{stuck}?at=3&since=1": 6,
    "/people": 3,
    "/notifications": 4,
    "/notifications?status=SENT": 4,
    "/audit": 3,
    "/audit?status=DENIED": 3,
}
"""Who looks costs two of them: their row, and since when their password is what it is. `/sagas` leads to what needs a
person where there is something."""

made: ContextVar[list[str] | None] = ContextVar("made", default=None)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of the pages asked for meanwhile. What pages share is looked up for each of them."""
    statements: list[str] = []
    execute, found = psycopg.AsyncCursor.execute, guard.found

    async def told_of(cursor: Any, query: Any, *args: Any, **more: Any) -> Any:
        if (told := made.get()) is not None:
            told.append(str(query))
        return await execute(cursor, query, *args, **more)

    def begun(request: Request, desk: Desk) -> Session | Over | None:
        made.set(statements)
        return found(request, desk)

    async def look(shared: Shared, name: object, lasts: float, look: Any) -> Any:
        return await look()

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", told_of)
    monkeypatch.setattr(guard, "found", begun)
    monkeypatch.setattr(Shared, "of", look)
    return statements


def asked(house: House, path: str) -> None:
    address = f"{house.address}/dashboard{path.format(stuck=house.saga('stuck'))}"
    answer = httpx.get(address, cookies=signed_in(house, OPERATOR), follow_redirects=True)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", STATEMENTS)
def test_a_page_makes_so_many_statements(house: House, told: list[str], path: str):
    asked(house, path)  # what is remembered of sagas and aggregates is, from now on
    told.clear()
    asked(house, path)
    assert len(told) == STATEMENTS[path], "\n".join(told)


def test_every_page_of_the_menu_is_counted():
    assert {page.path for page in PAGES if page.menu} <= set(STATEMENTS), "say how many statements it makes"
