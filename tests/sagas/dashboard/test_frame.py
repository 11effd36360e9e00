"""Who is let in, and what every page has: a frame for keyboard, narrow screens, both colour schemes, no JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sagas.dashboard import assets
from sagas.dashboard.assets.vendor import sums
from sagas.dashboard.session import Over, Sessions
from sagas.dashboard.sign_in import inside
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import CUSTOMER, OPERATOR, PASSWORD, STAFF, House

HERE = Path(assets.__file__).parent


def test_nothing_vendored_was_changed_and_its_licence_and_version_are_there():
    assert sums() == (HERE / "SHA256SUMS").read_text()
    assert "Zero-Clause BSD" in (HERE / "LICENSE").read_text()
    assert (HERE / "VERSION").read_text() == "htmx.org 4.0.1\n"


# --- sessions ---------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_session_is_over_when_it_is_old_or_was_idle_and_cannot_be_forged():
    clock = Clock()
    sessions = Sessions(b"x" * 32, clock)
    session = sessions.begin(uuid4(), "ann@example.org", "refresh")
    cookie = sessions.sealed(session)
    assert sessions.read(cookie) == session
    assert sessions.read(cookie[:-2] + "xx") is None
    assert Sessions(b"y" * 32, clock).read(cookie) is None
    clock.now += timedelta(minutes=61)
    assert sessions.read(cookie) == Over(session)
    kept = session
    for _ in range(16):
        renewed = sessions.renewed(kept)
        kept = renewed or kept
        clock.now += timedelta(minutes=30)
    assert isinstance(sessions.read(sessions.sealed(kept)), Over)


@pytest.mark.parametrize(
    "next",
    ["https://elsewhere.example/dashboard/", "//elsewhere.example", "/v1/users", "/dashboard\\@x", "", "/dashboardx"],
)
def test_nobody_is_led_elsewhere_by_signing_in(next: str):
    assert inside(next) == "/dashboard/"


def post(house: House, path: str, cookies: Any = None, **form: str) -> httpx.Response:
    return httpx.post(f"{house.address}/dashboard{path}", data=form, cookies=cookies)


def signed_in(house: House, email: str) -> httpx.Cookies:
    answer = post(house, "/sign-in", email=email, password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return answer.cookies


def test_who_is_not_signed_in_is_asked_to_and_gets_where_they_wanted(house: House):
    answer = httpx.get(f"{house.address}/dashboard/sagas?state=stuck")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/dashboard/sign-in?next=%2Fdashboard%2Fsagas%3Fstate%3Dstuck"
    there = post(house, "/sign-in", email=OPERATOR, password=PASSWORD, next="/dashboard/sagas?state=stuck")
    assert there.headers["location"] == "/dashboard/sagas?state=stuck"


def test_a_session_is_in_a_cookie_that_no_script_and_no_other_site_can_use(house: House):
    answer = post(house, "/sign-in", email=STAFF, password=PASSWORD)
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/dashboard", "max-age=28800"))


def test_a_wrong_password_and_a_customer_are_not_let_in(house: House):
    wrong = post(house, "/sign-in", email=STAFF, password="something else")
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    customer = post(house, "/sign-in", email=CUSTOMER, password=PASSWORD)
    assert (customer.status_code, "set-cookie" in customer.headers) == (403, False)
    assert "takes the role staff, operator or admin" in customer.text


def test_a_form_without_its_token_or_from_another_site_is_refused(house: House):
    cookies = signed_in(house, STAFF)
    forged = post(house, "/sign-out", cookies, csrf="guessed")
    assert (forged.status_code, "did not come from a page of this dashboard" in forged.text) == (403, True)
    elsewhere = httpx.post(f"{house.address}/dashboard/sign-in", headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403


def test_who_posts_without_a_session_is_told_that_nothing_was_done(house: House):
    answer = post(house, "/sign-out", csrf="x")
    assert (answer.status_code, "Nothing was done" in answer.text) == (401, True)


def test_what_there_is_not_is_said_so_in_the_frame_of_the_house(house: House):
    for path in ("/nothing", "/assets/vendor.py", "/assets/../app.py"):
        answer = httpx.get(f"{house.address}/dashboard{path}")
        assert (answer.status_code, "<h1>There is no such page</h1>" in answer.text) == (404, True)


@pytest.mark.parametrize("path", ["/sign-in", "/sagas", "/"])
def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline(house: House, path: str):
    answer = httpx.get(f"{house.address}/dashboard{path}", cookies=signed_in(house, STAFF))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
    )
    assert "unsafe" not in policy
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert len(answer.content) < 150_000


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.requires("browser")
def test_signing_in_and_out_and_the_switch_of_colours(visitors: Any):
    visitor: Visitor = visitors(color_scheme="light")
    visitor.go("/sagas")
    assert visitor.axe() == []
    visitor.sign_in()
    assert "Overview" in visitor.text()

    def background() -> str:
        return str(visitor.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    def switched(to: str) -> None:
        with visitor.page.expect_navigation():
            visitor.page.click(f"text={to}")

    light = background()
    switched("Dark")
    assert background() != light
    assert visitor.axe() == []
    switched("Auto")
    assert background() == light
    switched("Sign out")
    assert visitor.page.url.endswith("/sign-in")
    visitor.go("/")
    assert "/sign-in" in visitor.page.url


@pytest.mark.requires("browser")
def test_the_keyboard_alone_gets_to_the_content(operator: Visitor):
    operator.go("/sagas")
    operator.page.keyboard.press("Tab")
    operator.page.keyboard.press("Enter")
    assert operator.page.evaluate("document.activeElement.id") == "content"
