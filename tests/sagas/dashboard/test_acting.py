"""Having sagas do something: shown first, confirmed, done once, told; who may not is refused, and it is recorded."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from infra.dashboard import InProcess
from sagas.dashboard.port import Answered, Asked, Unreachable
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
    lines = f"audit?kind=saga.pause&status=DONE&target={house.saga('waiting')}"
    eventually(lambda: desk.get(lines).count('<tr id="a-') == 1)
    line = re.search(r'<tr id="a-([^"]+)', desk.get(lines))
    assert line
    assert "twice" in desk.get(f"audit/{line[1]}")
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


def picks(house: House, *names: str) -> list[str]:
    """As the list has them."""
    seen = {name: house.look(house.saga(name)) for name in names}
    return [f"{house.saga(name)}~{found['version']}" for name, found in seen.items() if found]


def preview(desk: Desk, action: str, picks: list[str]) -> str:
    return desk.get(f"sagas/bulk?{urlencode({'action': action, 'pick': picks}, doseq=True)}")


def outcomes(desk: Desk, answer: httpx.Response) -> str:
    """The page that a form of many leads to."""
    assert answer.status_code == 303, answer.text
    return desk.get(answer.headers["location"].removeprefix("/dashboard/"))


def test_many_are_done_one_first_and_what_has_moved_on_is_left_alone(house: House):
    for name in ("a", "b", "c"):
        house.place_waiting(name)
    desk, key, picked = Desk(house), str(uuid4()), picks(house, "a", "b", "c")
    assert "Pause 3 of 3 sagas?" in preview(desk, "pause", picked)
    form = {"action": "pause", "pick": picked, "key": key}

    first = desk.post("sagas/bulk/go", **form, reason="a test", typed="3")
    html = outcomes(desk, first)
    assert (html.count("Pause was done."), "2 are left" in html) == (1, True)

    assert desk.act("c", "pause", reason="meanwhile").status_code == 303
    rest = desk.post("sagas/bulk/go", **form, stage="rest")
    assert rest.headers["location"] == first.headers["location"]
    html = outcomes(desk, rest)
    assert html.count("Pause was done.") == 2
    assert html.count("It has moved on since you looked") == 1
    assert "left" not in html
    again = preview(desk, "resume", picked)
    assert "Resume 0 of 3 sagas?" in again
    assert again.count("it has moved on since it was picked") == 3


def test_nobody_gets_at_the_others_before_the_first_went_well_for_them(house: House):
    house.hire("second@chobo.example", "admin")
    for name in ("d", "e", "f"):
        house.place_waiting(name)
    desk, key, picked = Desk(house), str(uuid4()), picks(house, "d", "e", "f")
    form = {"action": "cancel", "pick": picked, "key": key, "reason": "let me"}

    def refused(who: Desk, **more: Any) -> None:
        answer = who.post("sagas/bulk/go", **form | {"stage": "rest"} | more)
        assert said(answer) == (409, "One goes first")

    refused(desk)
    assert desk.post("sagas/bulk/go", **form, typed="").status_code == 422
    paused = desk.post("sagas/bulk/go", **form | {"action": "pause", "pick": picked[:2]}, typed="2")
    assert "Pause was done." in outcomes(desk, paused)
    refused(desk)  # the first was asked for something else
    refused(desk, action="pause")  # and with others
    refused(desk, action="pause", pick=picked[:2], key=str(uuid4()))  # by another form
    eventually(
        lambda: Desk(house, "second@chobo.example").get("sagas/bulk?action=pause&pick=x").count("cannot be read")
    )
    refused(Desk(house, "second@chobo.example"), action="pause", pick=picked[:2])  # and by somebody else
    assert [found["status"] for name in "def" if (found := house.look(house.saga(name)))] == ["RUNNING"] * 3


def test_what_was_asked_for_so_far_is_told_when_the_command_api_is_away_half_way(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    for name in ("g", "h", "i"):
        house.place_waiting(name)
    desk = Desk(house)
    form = {"action": "pause", "pick": picks(house, "g", "h", "i"), "key": str(uuid4())}
    first = desk.post("sagas/bulk/go", **form, reason="half of it", typed="3")
    post, away = InProcess.post, f"/v1/sagas/{house.saga('i')}/pause"

    async def broken(self: InProcess, asked: Asked) -> Answered:
        if asked.path == away:
            raise Unreachable("POST")
        return await post(self, asked)

    with monkeypatch.context() as patch:
        patch.setattr(InProcess, "post", broken)
        answer = desk.post("sagas/bulk/go", **form, stage="rest")
    assert said(answer) == (503, "The command API cannot be reached")
    assert "1 of 2 were asked for so far" in answer.text
    assert first.headers["location"].replace("&", "&amp;") in answer.text
    html = outcomes(desk, first)
    assert (html.count("Pause was done."), "1 is left" in html) == (2, True)
    assert outcomes(desk, desk.post("sagas/bulk/go", **form, stage="rest")).count("Pause was done.") == 3


# --- a slip -----------------------------------------------------------------------------------------------------------


def test_a_slip_loses_neither_the_selection_nor_the_reason(house: House):
    desk, picked = Desk(house), picks(house, "waiting", "stuck")
    form = {"action": "pause", "pick": picked, "reason": "told at length"}
    answer = desk.post("sagas/bulk/go", **form, typed="3")
    assert answer.status_code == 422
    assert "It was not confirmed. Type 2 to confirm: the number of sagas." in answer.text
    assert "told at length</textarea>" in answer.text
    assert all(f'name="pick" value="{pick}"' in answer.text for pick in picked)
    answer = desk.act("waiting", "cancel", reason="told at length", typed="cancle")
    assert (answer.status_code, "told at length</textarea>" in answer.text) == (422, True)
    assert "It was not confirmed. Type cancel to confirm: it cannot be taken back." in answer.text
    answer = desk.act("waiting", "pause", reason=" ")
    assert (answer.status_code, "It takes a reason." in answer.text) == (422, True)
    assert [found["status"] for name in ("waiting", "stuck") if (found := house.look(house.saga(name)))] == [
        "RUNNING", "STUCK",
    ]  # fmt: skip


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
    page.reload()  # the selection is in the address
    assert "Pause 2 of 2 sagas?" in operator.text()
    assert operator.axe() == []
    page.fill("[name=reason]", "a look")
    page.fill("[name=typed]", "2")
    page.click("text=Pause the first of them")
    page.wait_for_url("**/sagas/bulk/outcomes?**")
    page.get_by_text("1 is left").wait_for()
    assert operator.axe() == []
    page.click("text=Pause the other 1")
    page.get_by_text("Pause was done.").nth(1).wait_for()
    page.reload()
    assert operator.text().count("Pause was done.") == 2


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
