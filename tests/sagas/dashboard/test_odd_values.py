"""Odd values in every parameter of every page, odd rows in every table: said, and never the end of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import httpx
import psycopg
import pytest

from sagas.dashboard.page import LOOK, Page
from sagas.dashboard.pages import PAGES
from sagas.dashboard.sign_in import inside
from sagas.dashboard.visit import Visit
from tests.eventually import eventually
from tests.sagas.dashboard.house import OPERATOR, PASSWORD, House, opened
from tests.sagas.dashboard.test_acting import Desk
from tests.sagas.dashboard.test_frame import signed_in

ODD: Final = (
    "a\0b", "5" * 5000, "9" * 19, "-1", "p" + "9" * 400, "\N{ARABIC-INDIC DIGIT ONE}", "http://[x",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "orders:" + "9" * 30, "AAAA", "\u00e9", str(uuid4()),
    "2026-01-31T12:00~" + str(uuid4()),
)  # fmt: skip
MANY: Final = ("pick",)
"""Parameters that may come more than once."""
LOOKED_AT: Final = [page for page in PAGES if page.method == "GET" and not page.path.endswith(("/live", "/newer"))]
GOING_ON: Final = [page for page in PAGES if page.path.endswith(("/live", "/newer"))]


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        house.place("done", "pm_card_visa", "ENDED")
        yield house


@pytest.fixture
def visitor(house: House) -> Iterator[httpx.Client]:
    cookies = signed_in(house, OPERATOR)
    with httpx.Client(base_url=f"{house.address}/dashboard", cookies=cookies, follow_redirects=True) as client:
        yield client


def address(house: House, page: Page) -> str:
    """With something that is there in each place of it."""
    given = {"context": "orders", "model": "users", "position": "1", "action": "pause", "id": house.saga("done")}
    if page.path.startswith("/aggregates"):
        given["id"] = str(house.orders["done"])
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: given.get(m[1]) or str(uuid4()), page.path)


def status(visitor: httpx.Client, path: str, **query: str) -> int:
    """Of a page; of one that goes on by itself, as it begins."""
    with visitor.stream("GET", path, params=query) as answer:
        return answer.status_code


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which parameters a page looks at, added to as it does."""
    names: list[str] = []
    ask = Visit.asked

    def noted(visit: Visit, name: str) -> str | None:
        if name not in names:
            names.append(name)
        return ask(visit, name)

    monkeypatch.setattr(Visit, "asked", noted)
    return names


@pytest.mark.parametrize("page", [*LOOKED_AT, *GOING_ON], ids=lambda page: page.path)
def test_no_odd_value_in_an_address_is_the_end_of_a_page(
    house: House, visitor: httpx.Client, page: Page, asked: list[str]
):
    path, wrong = address(house, page), []
    assert status(visitor, path) < 500
    for name in (*MANY, *asked) if page.path.startswith("/sagas/bulk") else asked:
        found = {value[:40]: status(visitor, path, **{name: value}) for value in ODD}
        wrong += [(name, value) for value, code in found.items() if code >= 500]
    assert wrong == []


@pytest.mark.parametrize("page", [page for page in PAGES if "{" in page.path], ids=lambda page: page.path)
def test_no_odd_value_in_the_place_of_an_id_is_the_end_of_a_page(house: House, visitor: httpx.Client, page: Page):
    for value in ODD:
        quoted = httpx.QueryParams({"x": value}).__str__()[2:].replace("+", "%20")
        path = re.sub(r"\{\w+(?::\w+)?\}", quoted.replace("\\", ""), page.path)
        assert status(visitor, path) < 500, value[:40]


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "POST"], ids=lambda page: page.path)
def test_no_odd_value_in_a_form_is_the_end_of_it(house: House, page: Page):
    from tests.sagas.dashboard.test_misuse import FIELDS, filled

    desk = Desk(house)
    for value in ODD:
        form = dict.fromkeys(FIELDS, value) | {"key": value, "reason": "x"}
        assert desk.post(filled(page), **form).status_code < 500, value[:40]


@pytest.mark.parametrize("next", ["http://[x", "/dashboard/../v1/users", "/dashboard/%2e%2e/v1", "/dashboard/\0", "//[",
                                  "/dashboard/./x", "/dashboard\t/x"])  # fmt: skip
def test_nobody_is_led_to_what_is_none_of_ours(house: House, next: str):
    assert inside(next) == "/dashboard/"
    answer = httpx.post(f"{house.address}/dashboard/theme", data={"theme": "dark", "next": next})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/")


def test_what_is_refused_is_said_inside_the_frame(house: House, visitor: httpx.Client):
    for path in ("/models/%00", "/events?context=carts", "/nothing", "/parked/x"):
        answer = visitor.get(path)
        assert 400 <= answer.status_code < 500
        assert '<nav aria-label="Pages">' in answer.text
        assert answer.text.count("<h1>") == 1


def test_whoever_may_post_is_said_for_every_form():
    changes_nothing = ["/people/find"]
    assert [page.path for page in PAGES if page.method == "POST" and page.needs == LOOK] == changes_nothing
    with pytest.raises(TypeError, match="must say who may do it"):
        Page("/anything", PAGES[0].show, method="POST")


def test_what_goes_on_by_itself_is_as_closed_as_a_page_and_says_no_more_than_it_should(
    house: House, visitor: httpx.Client
):
    with visitor.stream("GET", "/sagas/live", params={"seen": "x\nevent: forged\ndata: <b>"}) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()) == "id: "
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# -- rows that cannot be read or shown ---------------------------------------------------------------------------------


def changed(house: House, query: str) -> None:
    with psycopg.connect(house.database) as connection:
        assert connection.execute(query).rowcount == 1


def test_an_amount_beyond_all_limits_hides_no_other_saga(house: House, visitor: httpx.Client):
    changed(house, f"UPDATE reads.sagas SET captured = 2::bigint ^ 60 WHERE id = '{house.saga('done')}'")
    answer = visitor.get("/sagas")
    assert (answer.status_code, "it cannot be shown" in answer.text) == (200, True)
    changed(house, f"UPDATE reads.sagas SET status = 'DREAMING' WHERE id = '{house.saga('done')}'")
    answer = visitor.get("/sagas")
    assert (answer.status_code, "it cannot be read: status" in answer.text) == (200, True)


def test_an_odd_operation_is_a_line_of_the_file_and_has_a_page(house: House, visitor: httpx.Client):
    desk = Desk(house)
    started = desk.post("models/users/start", reason="a look").headers["location"].partition("operation=")[2]
    desk.post("models/sales/start", reason="another look")
    eventually(lambda: {"a look", "another look"} <= reasons(house))
    changed(house, f"UPDATE reads.operations SET status = 'DREAMING' WHERE id = '{started}'")
    lines = visitor.get("/audit.csv").text
    assert f"{started}" in lines
    assert "unreadable" in lines
    assert "another look" in lines
    one = visitor.get(f"/audit/{started}")
    assert (one.status_code, "it cannot be read: status" in one.text) == (200, True)


def reasons(house: House) -> set[str]:
    with psycopg.connect(house.database) as connection:
        return {row[0] for row in connection.execute("SELECT reason FROM reads.operations").fetchall()}


@pytest.mark.parametrize("column, value, said", [("trigger", "unheard-of", "unheard of"), ("status", "LOST", "status")])
def test_an_odd_notification_has_a_page(house: House, visitor: httpx.Client, column: str, value: str, said: str):
    with psycopg.connect(house.database) as connection:
        row = connection.execute("SELECT id FROM reads.notifications ORDER BY id LIMIT 1").fetchone()
    assert row
    changed(house, f"UPDATE reads.notifications SET {column} = '{value}' WHERE id = '{row[0]}'")
    for path in ("/notifications", f"/notifications/{row[0]}"):
        answer = visitor.get(path)
        assert (answer.status_code, said in answer.text) == (200, True), path


def test_a_saga_that_the_log_does_not_have_hides_nothing_of_the_others(
    house: House, visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    house.place("lost", "pm_card_visa", "ENDED")
    house.place("kept", "pm_card_visa", "ENDED")
    with psycopg.connect(house.database) as connection:
        connection.execute("ALTER TABLE sagas.stored_events DISABLE TRIGGER USER")
        connection.execute("DELETE FROM sagas.stored_events WHERE originator_id = %s", [house.saga("lost")])
        connection.execute("ALTER TABLE sagas.stored_events ENABLE TRIGGER USER")
    monkeypatch.setattr("sagas.dashboard.healthy.FRESH", 0.0)
    answer = visitor.get(f"/sagas/{house.saga('kept')}")
    assert answer.status_code == 200
    assert visitor.get(f"/sagas/{house.saga('lost')}").status_code == 404


def test_an_odd_webhook_is_listed_as_one(house: House, visitor: httpx.Client):
    id = uuid4()
    changed(
        house,
        "INSERT INTO reads.unmatched_webhooks"
        " (id, version, updated_at, gateway, hook_id, type, happened_at, created_at)"
        f" VALUES ('{id}', 1, now(), 'stripe', 'evt_1', 'charge.lost', 'infinity', now())",
    )
    text = visitor.get("/").text
    assert "Unreadable rows" in text
    assert f"webhook {id}, it cannot be read: happened_at" in text


def test_an_odd_account_has_a_page_and_its_owner_is_told(house: House, visitor: httpx.Client):
    house.hire("odd@chobo.example", "staff")
    desk = eventually_signed_in(house, "odd@chobo.example")
    with psycopg.connect(house.database) as connection:
        row = connection.execute("SELECT id FROM reads.users WHERE email = 'odd@chobo.example'").fetchone()
    assert row
    changed(house, f"UPDATE reads.users SET status = 'DREAMING' WHERE id = '{row[0]}'")
    answer = visitor.get(f"/people/{row[0]}")
    assert (answer.status_code, "it cannot be read: status" in answer.text) == (200, True)
    assert "Your account cannot be read" in desk.get("sagas")


def eventually_signed_in(house: House, email: str) -> Desk:
    form = {"email": email, "password": PASSWORD}
    eventually(lambda: httpx.post(f"{house.address}/dashboard/sign-in", data=form).status_code == 303)
    eventually(lambda: "<h1>Sagas</h1>" in Desk(house, email).get("sagas"))
    return Desk(house, email)
