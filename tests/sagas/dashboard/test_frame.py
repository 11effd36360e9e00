"""Who is let in, and what every page has: a frame for keyboard, narrow screens, both colour schemes, no JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from starlette.requests import Request

from infra.dashboard import InProcess
from infra.settings import Settings
from sagas.dashboard import assets
from sagas.dashboard.assets.vendor import sums
from sagas.dashboard.port import Answered, Asked
from sagas.dashboard.session import PAD, Over, Sessions
from sagas.dashboard.sign_in import inside, sealed_way
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import CUSTOMER, OPERATOR, PASSWORD, STAFF, House, opened


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    """Behind a proxy, as it were."""
    with opened(module_database, trusted_proxies="127.0.0.1") as house:
        yield house


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


def test_a_token_is_another_one_on_every_page_and_none_but_its_session_takes_it():
    sessions = Sessions(b"x" * 32)
    mine, other = (sessions.begin(uuid4(), "ann@example.org", "refresh") for _ in range(2))
    tokens = {mine.token(bytes([n]) * PAD) for n in range(9)}
    assert len(tokens) == 9
    assert all(mine.matches(token) and not other.matches(token) for token in tokens)
    assert not any(mine.matches(token) for token in ("", "guessed", "AAAA", mine.csrf, "\N{ARABIC-INDIC DIGIT ONE}"))


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


@pytest.mark.parametrize(
    "path, headers",
    [
        ("/sign-in", {"origin": "https://elsewhere.example"}),
        ("/sign-in", {"origin": "null"}),
        ("/sign-in", {"origin": "http://[x"}),
        ("/theme", {"sec-fetch-site": "cross-site"}),
        ("/sign-out", {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}),
    ],
)
def test_no_form_of_another_site_is_taken(house: House, path: str, headers: dict[str, str]):
    """A cookie that is Lax does not come with it; if it did, it would not help."""
    cookies = signed_in(house, STAFF)
    page = httpx.get(f"{house.address}/dashboard/sagas", cookies=cookies).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    sent = {"email": STAFF, "password": PASSWORD, "theme": "dark", "csrf": token}
    answer = httpx.post(f"{house.address}/dashboard{path}", data=sent, cookies=cookies, headers=headers)
    assert (answer.status_code, "This form is not one of ours" in answer.text) == (403, True)
    assert "set-cookie" not in answer.headers
    assert httpx.get(f"{house.address}/dashboard/sagas", cookies=cookies).status_code == 200


def test_what_signs_something_else_cannot_make_a_session(house: House):
    secret = Settings.read({}, profile="development").cursor_secret.get_secret_value().encode()
    with psycopg.connect(house.database) as connection:
        row = connection.execute("SELECT id FROM reads.users WHERE email = %s", [OPERATOR]).fetchone()
    assert row
    forged = Sessions(secret)
    cookie = forged.sealed(forged.begin(row[0], OPERATOR, "refresh"))
    answer = httpx.get(f"{house.address}/dashboard/sagas", cookies={"chobo_dashboard": cookie})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "address, headers, in_production, secure",
    [
        ("http://127.0.0.1:8000", {}, True, False),
        ("http://localhost", {}, True, False),
        ("http://shop.example", {}, True, True),
        ("http://shop.example", {}, False, False),
        ("https://shop.example", {}, False, True),
        ("http://shop.example", {"x-forwarded-proto": "https"}, False, True),
    ],
)
def test_cookies_go_by_https_only_but_on_the_machine_itself(
    address: str, headers: dict[str, str], in_production: bool, secure: bool
):
    url = httpx.URL(address)
    named = {"host": url.netloc.decode()} | headers
    scope = {"type": "http", "scheme": url.scheme, "path": "/", "query_string": b"", "server": (url.host, url.port),
             "headers": [(name.encode(), value.encode()) for name, value in named.items()]}  # fmt: skip
    desk: Any = SimpleNamespace(in_production=in_production)
    assert sealed_way(Request(scope), desk) is secure


def test_from_where_somebody_comes_is_what_our_own_proxies_say(house: House, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    post = InProcess.post

    async def noted(self: InProcess, asked: Asked) -> Answered:
        told.append(asked.client)
        return await post(self, asked)

    monkeypatch.setattr(InProcess, "post", noted)
    for client in ("198.51.100.7", "2001:db8::7"):
        headers = {"x-forwarded-for": f"203.0.113.9, {client}"}
        httpx.post(f"{house.address}/dashboard/sign-in", data={"email": "x", "password": "y"}, headers=headers)
    assert told == ["198.51.100.7", "2001:db8::7"]


def test_a_file_is_kept_for_good_under_an_address_that_changes_with_it(house: House):
    page = httpx.get(f"{house.address}/dashboard/sign-in").text
    found = set(re.findall(r'"(/dashboard/assets/[^"]+)"', page))
    assert len(found) >= 3
    for address in found:
        answer = httpx.get(f"{house.address}{address}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        plain = httpx.get(f"{house.address}{address.partition('?')[0]}?v=old")
        assert plain.headers["cache-control"] == "public, max-age=3600"


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
