"""The list of sagas: found by the address alone, kept up to date, nothing moved under the pointer."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

from domain.ids import payment_of
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, House
from tests.sagas.dashboard.test_frame import signed_in


def rows(house: House, query: str) -> list[str]:
    """The ids in the list of this address."""
    query = query or "state=all"
    answer = httpx.get(f"{house.address}/dashboard/sagas?{query}", cookies=signed_in(house, OPERATOR))
    assert answer.status_code == 200, answer.text
    return [part.partition('"')[0] for part in answer.text.split('<tr id="s-')[1:]]


@pytest.mark.parametrize(
    "query, names",
    [
        ("", ["stuck", "waiting", "rejected", "done"]),
        ("sort=oldest", ["done", "rejected", "waiting", "stuck"]),
        ("state=needs-a-person", ["stuck"]),
        ("state=running", ["waiting"]),
        ("state=ended", ["rejected", "done"]),
        ("state=ended&sort=oldest", ["done", "rejected"]),
        ("process=cancellation", []),
        ("waits=fact", ["waiting"]),
        ("waits=operator", ["stuck"]),
        ("step=authorise payment", ["waiting"]),
        ("age=1d", []),
    ],
)
def test_it_is_filtered_and_sorted_by_the_address(house: House, query: str, names: list[str]):
    assert rows(house, query) == [house.saga(name) for name in names]


def test_it_is_searched_by_the_id_of_the_saga_or_of_its_order(house: House):
    assert rows(house, f"q={house.saga('done')}") == [house.saga("done")]
    assert rows(house, f"q={house.orders['stuck']}") == [house.saga("stuck")]


def test_it_is_searched_by_the_end_of_an_id_as_lists_show_it(house: House):
    order, saga = str(house.orders["stuck"]), house.saga("done")
    payment = str(payment_of(house.orders["waiting"]))
    assert rows(house, f"q={order[-8:]}") == [house.saga("stuck")]
    assert rows(house, f"q=…{saga[-8:].upper()}") == [saga]
    assert rows(house, f"q={payment[-12:]}") == [house.saga("waiting")]
    assert rows(house, f"q=0{saga[-8:]}") == [] or saga[-9] == "0"
    with psycopg.connect(house.database) as connection:
        plan = "EXPLAIN SELECT id FROM reads.sagas WHERE right(id::text, 8) = 'x' OR right(key::text, 8) = 'x' OR"
        connection.execute("SET enable_seqscan = off")
        found = str(connection.execute(f"{plan} right(order_id::text, 8) = 'x'").fetchall())
    assert all(name in found for name in ("sagas_by_id_end", "sagas_by_key_end", "sagas_by_order_end"))


def test_it_opens_on_what_needs_a_person_and_the_address_says_so(house: House):
    answer = httpx.get(f"{house.address}/dashboard/sagas", cookies=signed_in(house, OPERATOR))
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/sagas?state=needs-a-person")
    html = httpx.get(f"{house.address}/dashboard/sagas?state=stuck&process=checkout&sort=oldest",
                     cookies=signed_in(house, OPERATOR)).text  # fmt: skip
    assert "/dashboard/sagas?state=under-way&amp;process=checkout&amp;sort=oldest" in html
    assert "after CAPTURE_FAILED" in html


@pytest.mark.parametrize("query", ["state=odd", "process=x", "age=2h", "q=abc", "after=x", "sort=up"])
def test_what_cannot_be_asked_for_is_refused_with_what_can(house: House, query: str):
    answer = httpx.get(f"{house.address}/dashboard/sagas?{query}", cookies=signed_in(house, OPERATOR))
    assert answer.status_code == 400
    assert query.partition("=")[2] in answer.text


def test_pages_follow_each_other_and_lead_back(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sagas.dashboard.saga_list.SIZE", 3)
    cookies = signed_in(house, OPERATOR)

    def page(address: str) -> httpx.Response:
        return httpx.get(f"{house.address}{address}", cookies=cookies)

    def step(answer: httpx.Response, rel: str) -> str | None:
        _, found, rest = answer.text.partition(f'rel="{rel}" href="')
        return rest.partition('"')[0].replace("&amp;", "&") if found else None

    first = page("/dashboard/sagas?state=all")
    second = step(first, "next")
    assert (step(first, "prev"), second is None) == (None, False)
    assert second
    answer = page(second)
    assert [house.saga("done") in answer.text, step(answer, "next")] == [True, None]
    back = step(answer, "prev")
    assert back
    assert house.saga("stuck") in page(back).text


def test_a_row_that_cannot_be_read_is_shown_as_such_and_hides_no_other(house: House):
    with psycopg.connect(house.database) as connection:
        id = house.saga("rejected")
        table = connection.execute(
            "SELECT model || '_' || generation FROM projections.generations WHERE model = 'sagas'"
        )
        (schema,) = table.fetchone() or ("",)
        was = connection.execute(f"SELECT status FROM {schema}.sagas WHERE id = %s", [id]).fetchone()
        connection.execute(f"UPDATE {schema}.sagas SET status = 'ODD' WHERE id = %s", [id])
        connection.commit()
        try:
            answer = httpx.get(f"{house.address}/dashboard/sagas?state=all", cookies=signed_in(house, OPERATOR))
        finally:
            connection.execute(f"UPDATE {schema}.sagas SET status = %s WHERE id = %s", [was and was[0], id])
    assert answer.status_code == 200
    assert "it cannot be read: status. The others are not affected." in answer.text
    assert all(f'id="s-{house.saga(name)}"' in answer.text for name in house.orders)


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_it_fits_a_small_phone(visitors: Any, scheme: str):
    visitor: Visitor = visitors(color_scheme=scheme, viewport={"width": 320, "height": 640})
    visitor.sign_in().go("/sagas")
    assert visitor.axe() == []
    assert visitor.wide() == 320


@pytest.mark.requires("browser")
def test_it_can_be_read_and_filtered_without_javascript(visitors: Any, house: House):
    visitor: Visitor = visitors(java_script_enabled=False)
    visitor.sign_in().go("/sagas?state=all")
    visitor.page.select_option("[name=state]", "stuck")
    visitor.page.click("text=Show")
    assert "state=stuck" in visitor.page.url
    assert "ALREADY_SHIPPED" in visitor.text()


@pytest.mark.requires("browser")
def test_a_row_changes_where_it_stands_and_a_new_one_is_announced(operator: Visitor, house: House):
    house.place_waiting("paying")
    eventually(lambda: house.saga("paying") in rows(house, ""))
    operator.go("/sagas?state=all")
    page = operator.page
    page.locator("[data-live]").get_by_text("Live").wait_for()
    page.locator(f"#d-{house.saga('stuck')} summary").click()
    order = [row.get_attribute("id") for row in page.locator("tbody tr").all()]

    seen = house.look(house.saga("paying"))
    assert seen
    assert house.tried(f"/v1/sagas/{house.saga('paying')}/pause", {"reason": "a test"}, version=seen["version"])
    page.locator(f"#s-{house.saga('paying')}").get_by_text("running, paused").wait_for()
    house.place("new", "pm_card_visa", "ENDED")
    page.locator("#news a").wait_for()

    assert [row.get_attribute("id") for row in page.locator("tbody tr").all()] == order
    assert page.locator(f"#d-{house.saga('stuck')}").get_attribute("open") is not None
    page.locator("#news a").click()
    page.locator(f"#s-{house.saga('new')}").wait_for()


@pytest.mark.requires("browser")
def test_nothing_moves_under_a_pointer_however_long_it_rests(operator: Visitor, house: House):
    page = operator.page
    page.clock.install()
    operator.go("/sagas?state=all")
    page.locator("[data-live]").get_by_text("Live").wait_for()
    row = page.locator(f"#s-{house.saga('stuck')}")
    row.hover()
    order, place = [each.get_attribute("id") for each in page.locator("tbody tr").all()], row.bounding_box()

    house.place("under the pointer", "pm_card_visa", "ENDED")
    page.locator("#news a").wait_for()
    page.clock.run_for(60_000)
    assert [each.get_attribute("id") for each in page.locator("tbody tr").all()] == order
    assert row.bounding_box() == place
    assert house.saga("under the pointer") not in page.content()

    page.mouse.move(40, 500)  # beside the list: nothing that would move is in hand any more
    page.clock.run_for(30_000)
    page.locator(f"#s-{house.saga('under the pointer')}").wait_for()


@pytest.mark.requires("browser")
def test_what_comes_in_above_the_pointer_scrolls_the_page_by_as_much(operator: Visitor, house: House):
    house.place_waiting("read")
    saga = house.saga("read")
    operator.go(f"/sagas/{saga}")
    page = operator.page
    page.locator("[data-live]").get_by_text("Live").wait_for()
    line = page.locator("#e-3")
    line.hover()
    before = line.bounding_box()["y"]
    seen = house.look(saga)
    assert seen
    house.tried(f"/v1/sagas/{saga}/pause", {"reason": "a look"}, version=seen["version"])
    page.get_by_text("running, paused").wait_for()
    assert line.bounding_box()["y"] == pytest.approx(before, abs=2)
