"""One saga's page: why it stands there, its way out and back, its balance, all that happened and what caused it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from domain.ids import payment_of
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, STAFF, House
from tests.sagas.dashboard.test_frame import signed_in

ROOT = Path(__file__).parents[3]


def page(house: House, path: str, who: str = OPERATOR) -> httpx.Response:
    return httpx.get(f"{house.address}/dashboard/sagas/{path}", cookies=signed_in(house, who))


def test_its_order_payment_and_customer_are_links_and_a_box_leads_to_its_attempts(house: House):
    html = page(house, house.saga("stuck")).text
    order = house.orders["stuck"]
    for path in (f"aggregates/orders/{order}", f"aggregates/payments/{payment_of(order)}", "people/"):
        assert f'href="/dashboard/{path}' in html
    places = re.findall(r'<a href="#((?:try|step)-\d)"><g class="box', html)
    assert len(places) == 8
    assert all(f'id="{place}"' in html for place in places)


def boxes(html: str) -> list[tuple[str, str]]:
    """What the drawing has: the tone and the title of each step."""
    return re.findall(r'<g class="box ([a-z-]+)"[^>]*><title>([^<]*)</title>', html)


def test_an_orders_id_leads_to_the_saga_that_works_it(house: House):
    answer = page(house, str(house.orders["stuck"]))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboard/sagas/{house.saga('stuck')}")


def test_what_there_is_not_is_said_so(house: House):
    answer = page(house, "00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, "There is no saga or order 00000000" in answer.text) == (404, True)


def test_the_sentence_says_why_it_is_stuck_and_the_drawing_where(house: House):
    html = page(house, house.saga("stuck")).text
    assert "because of <b>CAPTURE_FAILED</b>" in html
    assert "Retry will meet ALREADY_SHIPPED again. See to the money by other means, then Resolve" in html
    first, second = re.findall(r'<a class="button( main)?" href="[^"]*/act/(\w+)"', html)[:2]
    assert (first, second[0]) == ((" main", "resolve"), "")
    assert "That met ALREADY_SHIPPED" in html
    assert boxes(html) == [
        ("good", "reserve stock: done"),
        ("good", "authorise payment: done"),
        ("good", "confirm order: done"),
        ("good", "commit stock: done"),
        ("bad", "capture payment: do_not_honor, 3 attempts"),
        ("left-out", "let go of the order: not needed"),
        ("bad", "cancel the order: ALREADY_SHIPPED"),
        ("to-come", "hand over to cancellation: to come"),
    ]


def test_compensation_comes_back_below_what_it_takes_back_and_ends_furthest_left(house: House):
    html = page(house, house.saga("rejected")).text
    found = re.findall(r'transform="translate\(([\d.]+) ([\d.]+)\)"><title>([^:]*)', html)
    across = {title: float(x) for x, _, title in found}
    down = {title: float(y) for _, y, title in found}
    assert across["put the goods back"] == across["reserve stock"]
    assert across["close the order"] == min(across.values())
    assert min(down["put the goods back"], down["close the order"]) > max(down["reserve stock"], down["confirm order"])


def test_a_done_one_has_nothing_to_come_back(house: House):
    html = page(house, house.saga("done")).text
    assert {tone for tone, _ in boxes(html)} == {"good"}
    assert "and back" not in html.partition("<table")[0].partition('<svg class="swimlane"')[2]
    assert "Healthy: the 1 newest of this definition that were done." in html


def test_money_and_goods_are_summed(house: House):
    html = page(house, house.saga("stuck")).text
    total = house.shop.order["quotedTotal"]
    shown = f"{total['amount'] // 100}.{total['amount'] % 100:02} EUR"
    assert 'the shop has<td class="number">0.00 EUR' in html  # what is only authorised is not the shop's
    assert f'authorised beside it<td class="number">{shown}' in html
    assert 'left the stock<td class="number">\N{MINUS SIGN}1' in html
    assert f"1 unit left the stock, {shown} authorised but not captured." in html
    assert 'still held<td class="number">0' in html


def test_what_operators_said_is_read_by_operators_only(house: House):
    seen = house.look(house.saga("waiting"))
    assert seen
    operator = page(house, house.saga("waiting"))
    assert operator.status_code == 200
    key = re.search(r'name="csrf" value="([^"]+)"', operator.text)
    assert key
    body = {"email": OPERATOR, "password": "a long password"}
    token = httpx.post(f"{house.address}/v1/sessions", json=body).json()["accessToken"]
    headers = {"authorization": f"Bearer {token}", "if-match": f'"{seen["version"]}"', "idempotency-key": "said"}
    said = {"reason": "<script>alert(1)</script> Mr Bee calls back"}
    answer = httpx.post(f"{house.address}/v1/sagas/{house.saga('waiting')}/pause", json=said, headers=headers)
    assert answer.is_success, answer.text
    read, masked = page(house, house.saga("waiting")).text, page(house, house.saga("waiting"), STAFF).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Mr Bee calls back" in read
    assert "<script>alert" not in read
    assert "Mr Bee" not in masked
    assert "(personal)" in masked
    after = house.look(house.saga("waiting"))
    assert after
    house.tried(f"/v1/sagas/{house.saga('waiting')}/resume", {"reason": "done"}, version=after["version"])


def test_staff_are_told_why_they_cannot_act_and_operators_why_an_action_is_not_possible(house: House):
    staff = page(house, house.saga("stuck"), STAFF).text
    assert staff.count("it takes an operator") == 6
    assert "/act/" not in staff
    operator = page(house, house.saga("stuck")).text
    assert "it is not paused" in operator
    assert "/act/resolve" in operator


def test_the_causes_lead_from_the_request_to_the_last_mail(house: House):
    def sent() -> Any:
        return re.findall(r"<td>(?:<b>)?([a-z]+\.[a-z-]+)", page(house, f"{house.saga('done')}/causes").text)

    eventually(lambda: sent()[-1] == "notifications.notification-sent" or "notifications.notification-sent" in sent())
    events = sent()
    assert events[0] == "orders.order-placed"
    assert {"sagas.saga-started", "products.stock-reserved", "payments.payment-captured", "sagas.saga-ended"} <= set(
        events
    )


def test_the_bundle_stands_alone(house: House):
    answer = page(house, f"{house.saga('stuck')}/bundle")
    assert answer.headers["content-disposition"] == f'attachment; filename="saga-{house.saga("stuck")}.html"'
    assert not re.search(r'(src|href)="', answer.text.replace('href="#', ""))
    assert "ALREADY_SHIPPED" in answer.text
    assert "csrf" not in answer.text


@pytest.mark.parametrize("name, passes", [("stuck", False), ("done", True), ("rejected", True), ("waiting", True)])
def test_it_is_copied_as_a_test_that_runs_and_fails_only_where_a_person_is_needed(
    house: House, tmp_path: Path, name: str, passes: bool
):
    html = page(house, f"{house.saga(name)}/test").text
    text = html.partition('class="unfolded">')[2].partition("</pre>")[0]
    for written, meant in (("&#39;", "'"), ("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(written, meant)
    file = tmp_path / "test_copied.py"
    file.write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        str(file),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is passes, done.stdout
    assert passes or "it is STUCK" in done.stdout


def test_a_saga_that_is_not_understood_is_shown_as_such(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sagas.dashboard.one_saga.SHOWN", 10)
    house.place("odd", "pm_card_visa", "ENDED")
    id = house.saga("odd")
    with psycopg.connect(house.database) as connection:
        where = "originator_id = %s AND topic = 'sagas.step-completed'"
        connection.execute(f"UPDATE sagas.stored_events SET topic = 'sagas.unheard-of' WHERE {where}", [id])
        connection.commit()
        try:
            answer, earlier, causes = (page(house, f"{id}{more}") for more in ("", "?upto=15", "/causes"))
        finally:
            back = where.replace("step-completed", "unheard-of")
            connection.execute(f"UPDATE sagas.stored_events SET topic = 'sagas.step-completed' WHERE {back}", [id])
    assert answer.status_code == 200
    assert "This release does not understand it" in answer.text
    assert "cannot be read" in answer.text
    assert "asked" in answer.text
    assert f'href="/dashboard/sagas/{id}?upto=15#timeline"' in answer.text
    assert re.findall(r'<span class="v number quiet">(\d+)', earlier.text) == [str(n) for n in range(15, 5, -1)]
    assert "sagas.unheard-of" in causes.text


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "/causes", "/test"])
def test_axe_finds_nothing_and_it_fits_a_small_phone(visitors: Any, house: House, scheme: str, path: str):
    visitor: Visitor = visitors(color_scheme=scheme, viewport={"width": 320, "height": 640})
    visitor.sign_in().go(f"/sagas/{house.saga('stuck')}{path}")
    assert visitor.axe() == []
    assert visitor.wide() == 320


@pytest.mark.requires("browser")
def test_it_goes_on_by_itself_and_what_was_opened_stays_open(operator: Visitor, house: House):
    house.place_waiting("watched")
    saga = house.saga("watched")
    operator.go(f"/sagas/{saga}")
    page = operator.page
    page.locator("[data-live]").get_by_text("Live").wait_for()
    page.locator("#e-2 summary").click()
    seen = house.look(saga)
    assert seen
    house.tried(f"/v1/sagas/{saga}/pause", {"reason": "looking"}, version=seen["version"])
    page.get_by_text("running, paused").wait_for()
    assert page.locator("#e-2").get_attribute("open") is not None
    assert json.loads(page.locator("#e-2 pre").inner_text())["name"] == "order-placed"
