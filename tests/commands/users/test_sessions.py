from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from commands.users.refresh_token import parsed
from commands.users.sessions import REFUSAL
from domain.users.credentials import Policy
from domain.users.errors import SessionOver
from tests.commands.users.place import PASSWORD, Place, place, prepare


async def test_signing_in_gives_tokens_and_is_counted(here: Place) -> None:
    hana = await here.register("hana@example.org")
    answer = await here.sign_in(" HANA@example.org")
    assert answer.status_code == 200
    session = answer.json()
    assert session["status"] == "OPEN"
    assert (session["tokenType"], session["expiresIn"]) == ("Bearer", 600)
    assert session["user"] == {"id": str(hana.id), "roles": ["customer"]}
    assert session["accessToken"] == f"{hana.id}:customer"
    credentials = await here.credentials(hana)
    assert credentials.sign_ins == 1
    assert credentials.last_sign_in is not None


async def test_an_unknown_address_and_a_wrong_password_cannot_be_told_apart(here: Place) -> None:
    await here.register("hana@example.org")
    unlike = []
    for email, password in [
        ("hana@example.org", "a guess"),
        ("nobody@example.org", PASSWORD),
        ("no address", PASSWORD),
    ]:
        began = perf_counter()
        answer = await here.sign_in(email, password)
        took = perf_counter() - began
        problem = answer.json()
        unlike.append((answer.status_code, problem["code"], problem["detail"], problem["title"], set(problem)))
        assert took >= REFUSAL - 0.01
    assert len({str(u) for u in unlike}) == 1


async def test_five_failures_close_the_account_even_to_the_right_password(here: Place, there: Place) -> None:
    hana = await here.register("hana@example.org")
    places = [here, there] * 10
    await asyncio.gather(*(p.sign_in("hana@example.org", "a guess") for p in places))
    assert (await here.sign_in("hana@example.org")).json()["code"] == "SIGN_IN_REFUSED"
    credentials = await here.credentials(hana)
    assert credentials.version == 1 + 5 + 1  # the password, five failures, the lock
    assert credentials.sign_ins == 0


async def test_a_right_password_forgets_earlier_failures(here: Place) -> None:
    hana = await here.register("hana@example.org")
    await asyncio.gather(*(here.sign_in("hana@example.org", "a guess") for _ in range(4)))
    assert (await here.sign_in("hana@example.org")).status_code == 200
    assert (await here.credentials(hana)).failures == 0


async def test_a_refresh_gives_the_next_token_and_the_roles_of_now(here: Place) -> None:
    await here.register("hana@example.org")
    session = (await here.sign_in("hana@example.org")).json()
    answer = await here.refresh(session["refreshToken"])
    assert answer.status_code == 200
    assert answer.json()["id"] == session["id"]
    assert answer.json()["refreshToken"] != session["refreshToken"]
    assert (await here.refresh(answer.json()["refreshToken"])).status_code == 200


async def test_a_token_that_comes_again_ends_the_session_for_thief_and_owner(here: Place) -> None:
    await here.register("hana@example.org")
    stolen = (await here.sign_in("hana@example.org")).json()["refreshToken"]
    other = (await here.sign_in("hana@example.org")).json()["refreshToken"]
    newer = (await here.refresh(stolen)).json()["refreshToken"]
    assert (await here.refresh(stolen)).json()["code"] == "SESSION_OVER"
    assert (await here.refresh(newer)).json()["code"] == "SESSION_OVER"
    assert (await here.refresh(other)).status_code == 200


async def test_one_token_at_once_in_two_processes_is_good_once_at_most(here: Place, there: Place) -> None:
    hana = await here.register("hana@example.org")
    token = (await here.sign_in("hana@example.org")).json()["refreshToken"]
    answers = await asyncio.gather(*(p.refresh(token) for p in [here, there] * 10))
    assert sorted(a.status_code for a in answers) == [200] + [401] * 19
    assert (await here.credentials(hana)).sessions == ()


@pytest.mark.parametrize("text", ["nonsense", "a.b", "." * 9, "é.x", f"{'A' * 43}.secret", f"{'A' * 43}."])
async def test_what_is_no_token_is_refused(here: Place, text: str) -> None:
    answer = await here.refresh(text)
    assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_OVER")
    answer = await here.post("/v1/sessions/sign-out", {"refreshToken": text})
    assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_OVER")


async def test_signing_out_ends_this_session_only(here: Place) -> None:
    await here.register("hana@example.org")
    one, two = [(await here.sign_in("hana@example.org")).json()["refreshToken"] for _ in range(2)]
    for _ in range(2):
        assert (await here.post("/v1/sessions/sign-out", {"refreshToken": one})).status_code == 200
    assert (await here.refresh(one)).status_code == 401
    assert (await here.refresh(two)).status_code == 200


async def test_signing_out_everywhere_ends_all(here: Place) -> None:
    hana = await here.register("hana@example.org")
    one, two = [(await here.sign_in("hana@example.org")).json()["refreshToken"] for _ in range(2)]
    assert (await here.post("/v1/sessions/sign-out", {"refreshToken": one, "everywhere": True})).status_code == 200
    assert (await here.refresh(two)).status_code == 401
    assert (await here.credentials(hana)).sessions == ()


async def test_sessions_are_bounded(database: str) -> None:
    await prepare(database)
    async with place(database, Policy(sessions=2)) as here:
        hana = await here.register("hana@example.org")
        first = (await here.sign_in("hana@example.org")).json()["refreshToken"]
        await asyncio.gather(*(here.sign_in("hana@example.org") for _ in range(4)))
        assert len((await here.credentials(hana)).sessions) == 2
        assert (await here.refresh(first)).status_code == 401


async def test_a_new_password_asks_the_old_one_and_ends_every_session(here: Place) -> None:
    hana = await here.register("hana@example.org")
    token = (await here.sign_in("hana@example.org")).json()["refreshToken"]
    path = f"/v1/users/{hana.id}/change-password"
    wrong = await here.post(path, {"oldPassword": "a guess", "newPassword": "battery staple"}, by=hana)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "WRONG_PASSWORD")
    right = await here.post(path, {"oldPassword": PASSWORD, "newPassword": "battery staple"}, by=hana)
    assert (right.status_code, right.json()["status"], right.headers["etag"]) == (200, "ACTIVE", '"2"')
    assert (await here.refresh(token)).status_code == 401
    assert (await here.sign_in("hana@example.org")).status_code == 401
    assert (await here.sign_in("hana@example.org", "battery staple")).status_code == 200


async def test_guessing_the_old_password_closes_the_account_too(here: Place) -> None:
    hana = await here.register("hana@example.org")
    path = f"/v1/users/{hana.id}/change-password"
    body = {"oldPassword": "a guess", "newPassword": "battery staple"}
    await asyncio.gather(*(here.post(path, body, by=hana) for _ in range(5)))
    answer = await here.post(path, body | {"oldPassword": PASSWORD}, by=hana)
    assert answer.json()["code"] == "WRONG_PASSWORD"
    assert (await here.sign_in("hana@example.org")).status_code == 401


def test_a_token_is_parsed_only_as_it_was_made() -> None:
    for text in ("", ".", "x", "AA.b", f"{'A' * 42}.b", f"{'A' * 44}.b"):
        with pytest.raises(SessionOver):
            parsed(text)
