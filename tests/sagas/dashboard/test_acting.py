"""Having sagas do something: shown first, confirmed, done once, told; who may not is refused, and it is recorded."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, PASSWORD, House
from tests.sagas.dashboard.test_frame import signed_in
from tests.sagas.dashboard.test_one_saga import page


class Desk:
    """Somebody who posts forms, with the session's token unless told otherwise."""

    def __init__(self, house: House, email: str = OPERATOR) -> None:
        self.house = house
        self.cookies = signed_in(house, email)
        self.csrf = self.value("csrf", self.get(""))

    def get(self, path: str) -> str:
        return httpx.get(f"{self.house.address}/dashboard/{path}", cookies=self.cookies, follow_redirects=True).text

    @staticmethod
    def value(name: str, html: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]+)"', html)
        assert found, html
        return found[1]

    def post(self, path: str, **form: Any) -> httpx.Response:
        sent = {"csrf": self.csrf, "key": str(uuid4())} | form
        return httpx.post(f"{self.house.address}/dashboard/{path}", data=sent, cookies=self.cookies)

    def act(self, name: str, action: str, **form: Any) -> httpx.Response:
        seen = self.house.look(self.house.saga(name))
        assert seen
        sent = {"version": seen["version"], "reason": "a test"} | form
        return self.post(f"sagas/{self.house.saga(name)}/act/{action}", **sent)


def said(answer: httpx.Response) -> tuple[int, str]:
    title = re.search(r"<h1>([^<]+)</h1>", answer.text)
    return answer.status_code, title[1] if title else ""


def test_what_it_would_cause_is_shown_by_the_rules_that_decide(house: House):
    html = page(house, f"{house.saga('stuck')}/act/retry").text
    assert f"POST /v1/orders/{house.orders['stuck']}/cancel" in html
    assert "attempt 2" in html
    resolve = page(house, f"{house.saga('stuck')}/act/resolve").text
    assert "type <b>resolve</b> to confirm" in resolve


def test_an_action_is_done_once_however_often_the_button_is_pressed(house: House):
    desk, key = Desk(house), str(uuid4())
    before = house.look(house.saga("waiting"))
    assert before
    form = {"version": before["version"], "reason": "twice", "key": key}
    first, again = [desk.post(f"sagas/{house.saga('waiting')}/act/pause", **form) for _ in range(2)]
    there = f"/dashboard/sagas/{house.saga('waiting')}?acted={key}"
    assert (first.status_code, first.headers["location"]) == (303, there)
    assert said(again) == (409, "This was sent already")
    assert f'<a href="{there}">What came of it</a>' in again.text
    after = house.look(house.saga("waiting"))
    assert after
    assert after["version"] == before["version"] + 1
    assert "Pause was done." in desk.get(f"sagas/{house.saga('waiting')}?acted={key}")
    assert desk.act("waiting", "resume").status_code == 303


def test_what_failed_again_is_told_as_failed_in_the_banner_and_in_the_log(house: House):
    desk, key, again = Desk(house), str(uuid4()), house.saga("stuck")
    assert '<p class="notice bad" role="status">' not in desk.get(f"sagas/{again}")
    assert desk.act("stuck", "retry", key=key, reason="the bank has called").status_code == 303
    came = (
        r'<p class="notice bad" role="status">.*?failed</span> “cancel the order” was asked for again and met ALREADY'
    )
    eventually(lambda: re.search(came, desk.get(f"sagas/{again}?acted={key}"), re.DOTALL))
    row = next(part for part in desk.get(f"sagas/{again}").split("<tr>") if "the bank has called" in part)
    assert ("failed</span>" in row, "done</span>" in row) == (True, False)
    assert (OPERATOR in row, "met ALREADY_SHIPPED" in row) == (True, True)


# --- many at once -----------------------------------------------------------------------------------------------------


def test_many_are_done_one_first_and_what_has_moved_on_is_left_alone(house: House):
    for name in ("a", "b", "c"):
        house.place_waiting(name)
    desk = Desk(house)
    seen = {name: house.look(house.saga(name)) for name in ("a", "b", "c")}
    picks = [f"{house.saga(name)}~{found['version']}" for name, found in seen.items() if found]
    html = desk.post("sagas/bulk", action="pause", pick=picks).text
    assert "Pause 3 of 3 sagas?" in html

    wrong = desk.post("sagas/bulk/go", action="pause", pick=picks, reason="a test", typed="2")
    assert said(wrong) == (400, "It was not confirmed")
    key = str(uuid4())
    first = desk.post("sagas/bulk/go", action="pause", pick=picks, reason="a test", typed="3", key=key).text
    assert (first.count("Pause was done."), "2 are left" in first) == (1, True)

    assert desk.act("c", "pause", reason="meanwhile").status_code == 303
    rest = desk.post("sagas/bulk/go", action="pause", stage="rest", pick=picks[1:], reason="a test", key=key).text
    assert rest.count("Pause was done.") == 1
    assert rest.count("It has moved on since you looked") == 1
    again = desk.post("sagas/bulk", action="resume", pick=picks).text
    assert "Resume 0 of 3 sagas?" in again
    assert again.count("it has moved on since it was picked") == 3


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.requires("browser")
def test_an_operator_cancels_by_keyboard_and_sees_what_comes_of_it(operator: Visitor, house: House):
    house.place_waiting("to be cancelled")
    operator.go(f"/sagas/{house.saga('to be cancelled')}/act/cancel")
    assert operator.axe() == []
    page = operator.page
    page.locator("[name=reason]").focus()
    page.keyboard.type("The customer asked on the phone")
    page.keyboard.press("Tab")
    page.keyboard.type("cancel")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("is done.").wait_for()
    page.locator(".standing").get_by_text("rejected", exact=True).wait_for()
    assert "The customer asked on the phone" in operator.text()
    assert operator.axe() == []


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scripts", [True, False])
def test_the_keyboard_gets_to_what_cannot_be_done_and_hears_why(visitors: Any, house: House, scripts: bool):
    from playwright.sync_api import expect

    visitor: Visitor = visitors(java_script_enabled=scripts)
    visitor.sign_in().go(f"/sagas/{house.saga('done')}")
    page = visitor.page
    button = page.get_by_role("button", name="Retry", exact=True)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator("button[aria-disabled]:focus").count():
            break
    expect(button).to_be_focused()
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(re.compile("it has ended as DONE"))
    here = page.url
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
    button.click(force=True)
    assert page.url == here
    assert not any(request.endswith("/act/retry") for request in visitor.asked)
    assert page.locator("button[disabled]").count() == 0


@pytest.mark.requires("browser")
def test_an_admin_picks_two_and_pauses_them(operator: Visitor, house: House):
    for name in ("x", "y"):
        house.place_waiting(name)
    page = operator.page
    eventually(lambda: operator.go("/sagas?state=running") and page.locator(f"#p-{house.saga('y')}").count() == 1)
    for name in ("x", "y"):
        page.locator(f"#p-{house.saga(name)}").check()
    page.select_option("[name=action]", "pause")
    page.click("text=See what it would cause")
    assert operator.axe() == []
    page.fill("[name=reason]", "a look")
    page.fill("[name=typed]", "2")
    page.click("text=Pause the first of them")
    page.get_by_text("1 are left").wait_for()
    assert operator.axe() == []
    page.click("text=Pause the other 1")
    page.get_by_text("What came of each").wait_for()


def tab_to(visitor: Visitor, text: str) -> None:
    """Presses Tab until what has the focus says this."""
    for _ in range(120):
        visitor.page.keyboard.press("Tab")
        focused = visitor.page.evaluate(
            "(document.activeElement.innerText || document.activeElement.name || '').trim()"
        )
        if focused == text:
            return
    raise AssertionError(f"Tab does not get to {text}")


@pytest.mark.requires("browser")
def test_from_signing_in_to_what_came_of_it_by_keyboard_alone(visitors: Any, house: House):
    visitor: Visitor = visitors()
    visitor.go("/sagas?state=stuck")
    page = visitor.page
    tab_to(visitor, "email")
    page.keyboard.type(OPERATOR)
    tab_to(visitor, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sagas?state=stuck")
    tab_to(visitor, "checkout")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/sagas/{house.saga('stuck')}")
    tab_to(visitor, "Pause …")
    page.keyboard.press("Enter")
    page.wait_for_url("**/act/pause")
    tab_to(visitor, "reason")
    page.keyboard.type("by keyboard alone")
    tab_to(visitor, "Pause")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Pause was done.").wait_for()
    assert "by keyboard alone" in visitor.text()
    assert Desk(house).act("stuck", "resume").status_code == 303


@pytest.mark.requires("browser")
def test_the_overview_leads_to_a_preview_of_all_that_met_the_same(operator: Visitor, house: House):
    page = operator.page
    eventually(lambda: operator.go("/") and page.locator(".queue tbody tr").count() == 1)
    assert "ALREADY_SHIPPED" in page.locator(".queue").inner_text()
    assert operator.axe() == []
    page.get_by_role("link", name="Preview resolve for all 1").click()
    assert "Resolve 1 of 1 sagas?" in operator.text()
    assert house.saga("stuck")[-8:] in operator.text()
    assert "code=ALREADY_SHIPPED" in page.url
