"""A session ends on the server: what its cookie could do, nobody can do with a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.dashboard import InProcess
from sagas.dashboard import guard, live
from sagas.dashboard.port import Answered, Asked, Unreachable
from tests.eventually import eventually
from tests.sagas.dashboard.house import PASSWORD, House, opened
from tests.sagas.dashboard.test_acting import Desk


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        yield house


@pytest.fixture
def email(house: House) -> str:
    email = f"{uuid4().hex[:12]}@chobo.example"
    house.hire(email, "operator")
    eventually(lambda: httpx.post(f"{house.address}/dashboard/sign-in", data={"email": email, "password": PASSWORD})
               .status_code == 303)  # fmt: skip
    return email


def let_in(desk: Desk) -> bool:
    answer = httpx.get(f"{desk.house.address}/dashboard/models", cookies=desk.cookies)
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


def tokens(house: House, email: str) -> Any:
    answer = httpx.post(f"{house.address}/v1/sessions", json={"email": email, "password": PASSWORD})
    assert answer.is_success, answer.text
    return answer.json()


def test_who_signs_out_ends_the_session_and_no_other(house: House, email: str):
    desk, other = Desk(house, email), Desk(house, email)
    assert desk.post("sign-out").status_code == 303
    assert not let_in(desk)
    answer = desk.post("models/users/start", reason="with the cookie of before")
    assert (answer.status_code, "Your session is over. Nothing was done" in answer.text) == (401, True)
    assert let_in(other)


def test_signing_out_everywhere_ends_it(house: House, email: str):
    desk, signed_in = Desk(house, email), tokens(house, email)
    sent = {"refreshToken": signed_in["refreshToken"], "everywhere": True}
    gone = httpx.post(f"{house.address}/v1/sessions/sign-out", json=sent)
    assert gone.is_success, gone.text
    assert not let_in(desk)


def test_it_is_said_when_the_session_could_not_be_ended(house: House, email: str, monkeypatch: pytest.MonkeyPatch):
    desk = Desk(house, email)

    async def away(self: InProcess, asked: Asked) -> Answered:
        raise Unreachable("POST")

    monkeypatch.setattr(InProcess, "post", away)
    answer = desk.post("sign-out")
    assert (answer.status_code, "Only this browser is signed out" in answer.text) == (503, True)
    assert answer.headers["set-cookie"].startswith('chobo_dashboard=""')


def test_a_new_password_ends_it(house: House, email: str):
    desk, signed_in = Desk(house, email), tokens(house, email)
    changed = httpx.post(
        f"{house.address}/v1/users/{signed_in['user']['id']}/change-password",
        json={"oldPassword": PASSWORD, "newPassword": "another long password"},
        headers={"authorization": f"Bearer {signed_in['accessToken']}"},
    )
    assert changed.is_success, changed.text
    assert not let_in(desk)


def test_a_suspension_ends_it_for_good(house: House, email: str):
    desk, id = Desk(house, email), tokens(house, email)["user"]["id"]
    house.ask(f"/v1/users/{id}/suspend", {"reason": "a test"})
    assert not let_in(desk)
    house.ask(f"/v1/users/{id}/reinstate", {"reason": "a test"})
    assert not let_in(desk)


# -- pages that go on by themselves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["models/live", "sagas/live"])
def test_a_page_that_goes_on_by_itself_ends_with_its_session(
    house: House, email: str, path: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(guard, "ASKED_AGAIN", 0.0)
    monkeypatch.setattr(live, "ALIVE", 0.5)
    monkeypatch.setattr("sagas.dashboard.ticking.ALIVE", 0.5)
    desk, ended, begun = Desk(house, email), list[int](), list[bytes]()

    def look() -> None:
        address = f"{house.address}/dashboard/{path}"
        with httpx.stream("GET", address, cookies=desk.cookies, timeout=60) as answer:
            begun.extend(answer.iter_raw())
        ended.append(answer.status_code)

    looking = Thread(target=look, daemon=True)
    looking.start()
    eventually(lambda: len(begun) > 1)
    assert not ended
    assert desk.post("sign-out").status_code == 303
    eventually(lambda: ended == [200])


def test_it_ends_when_roles_are_others_and_may_be_asked_for_anew(
    house: House, email: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(guard, "ASKED_AGAIN", 0.0)
    desk, id = Desk(house, email), tokens(house, email)["user"]["id"]
    seen: list[bytes] = []
    with httpx.stream("GET", f"{house.address}/dashboard/models/live", cookies=desk.cookies, timeout=60) as answer:
        chunks = answer.iter_raw()
        seen.append(next(chunks))
        house.ask(f"/v1/users/{id}/grant-role", {"role": "staff"})
        seen += chunks
    assert let_in(desk)
