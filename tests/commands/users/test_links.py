"""Mailed links: activating an account, and setting a new password. None of their tokens is ever stored."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from commands.users.mailed_links import MailedLinks, token_hash
from commands.users.sessions import REFUSAL
from domain.actor import Actor
from domain.ids import new_id
from domain.users.credentials import Policy, credentials_id
from domain.users.events import PasswordReset, PasswordResetAsked
from domain.users.user import Status, User
from tests.commands.users.place import PASSWORD, Place, PlainClaims, place, prepare

LINKS = MailedLinks(PlainClaims())
NOW = Policy(reset_pause=timedelta(0))


@asynccontextmanager
async def closed_until_activated(database: str) -> AsyncIterator[Place]:
    await prepare(database)
    async with place(database, NOW, activated=False) as here:
        yield here


async def status(here: Place, user: Actor) -> Status:
    assert user.id is not None
    return (await here.loop.states([user.id]))[user.id, User].status


async def activate(here: Place, user: Actor, token: str):
    return await here.post(f"/v1/users/{user.id}/activate", {"token": token})


async def ask(here: Place, email: str) -> str:
    """The token that was mailed."""
    answer = await here.post("/v1/credentials/ask-reset", {"email": email})
    assert (answer.status_code, answer.json()) == (202, {"status": "ASKED"})
    asked = [e.event for e in (await here.log.read(0, 1000)).events if isinstance(e.event, PasswordResetAsked)][-1]
    token = LINKS.reset(asked.originator_id, asked.originator_version)
    assert asked.token_hash == token_hash(token)
    return token


async def reset(here: Place, user: Actor, token: str, password: str = "quite another"):
    body = {"userId": str(user.id), "token": token, "password": password}
    return await here.post("/v1/credentials/reset", body)


async def test_an_account_is_closed_until_the_mailed_link_is_followed(database: str) -> None:
    async with closed_until_activated(database) as here:
        hana = await here.register("hana@example.org")
        assert await status(here, hana) is Status.REGISTERED
        assert (await here.sign_in("hana@example.org")).json()["code"] == "ACCOUNT_NOT_ACTIVE"
        assert hana.id is not None
        done = await activate(here, hana, LINKS.activation(hana.id))
        assert (done.status_code, done.json()["status"]) == (200, "ACTIVE")
        assert (await here.sign_in("hana@example.org")).status_code == 200


async def test_following_the_link_again_changes_nothing(database: str) -> None:
    async with closed_until_activated(database) as here:
        hana = await here.register()
        assert hana.id is not None
        versions = {(await activate(here, hana, LINKS.activation(hana.id))).json()["version"] for _ in range(3)}
        assert versions == {2}


async def test_nobody_activates_an_account_with_another_token(database: str) -> None:
    async with closed_until_activated(database) as here:
        hana, ken = await here.register(), await here.register()
        assert hana.id is not None
        assert ken.id is not None
        for token in (LINKS.activation(ken.id), LINKS.reset(credentials_id(hana.id), 1), "x", "ほ"):
            assert (await activate(here, hana, token)).json()["code"] == "ACTIVATION_TOKEN_NOT_GOOD"
        assert await status(here, hana) is Status.REGISTERED
        nobody = Actor(new_id(), frozenset())
        assert (await activate(here, nobody, "x")).json()["code"] == "ACTIVATION_TOKEN_NOT_GOOD"


@pytest.fixture
async def here(database: str) -> AsyncIterator[Place]:
    await prepare(database)
    async with place(database, NOW) as here:
        yield here


async def test_a_new_password_is_set_with_the_mailed_link_and_every_session_ends(here: Place) -> None:
    hana = await here.register("hana@example.org")
    session = (await here.sign_in("hana@example.org")).json()
    answer = await reset(here, hana, await ask(here, "Hana@Example.org"))
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, str(hana.id), "ACTIVE")
    assert answer.json()["links"]["self"] == f"/v1/users/{hana.id}"
    assert (await here.refresh(session["refreshToken"])).json()["code"] == "SESSION_OVER"
    assert (await here.sign_in("hana@example.org", PASSWORD)).status_code == 401
    assert (await here.sign_in("hana@example.org", "quite another")).status_code == 200


async def test_a_link_is_good_once_and_only_the_newest(here: Place) -> None:
    hana = await here.register("hana@example.org")
    older, newer = await ask(here, "hana@example.org"), await ask(here, "hana@example.org")
    assert older != newer
    assert (await reset(here, hana, older)).json()["code"] == "RESET_TOKEN_NOT_GOOD"
    assert (await reset(here, hana, newer)).status_code == 200
    assert (await reset(here, hana, newer)).json()["code"] == "RESET_TOKEN_NOT_GOOD"
    done = [e for e in (await here.log.read(0, 1000)).events if isinstance(e.event, PasswordReset)]
    assert len(done) == 1


async def test_a_link_is_good_for_the_account_it_was_mailed_to(here: Place) -> None:
    hana, ken = await here.register("hana@example.org"), await here.register("ken@example.org")
    hers = await ask(here, "hana@example.org")
    await ask(here, "ken@example.org")
    for user in (ken, Actor(new_id(), frozenset())):
        assert (await reset(here, user, hers)).json()["code"] == "RESET_TOKEN_NOT_GOOD"
    assert hana.id is not None


async def test_who_asks_cannot_find_out_whether_there_is_such_an_account(here: Place) -> None:
    await here.register("hana@example.org")
    answers, times = [], []
    for email in ("hana@example.org", "nobody@example.org", "no address"):
        began = time.monotonic()
        answer = await here.post("/v1/credentials/ask-reset", {"email": email})
        times.append(time.monotonic() - began)
        answers.append((answer.status_code, answer.content, sorted(answer.headers)))
    assert answers[0] == answers[1] == answers[2]
    assert min(times) >= REFUSAL


async def test_nobodys_mailbox_is_flooded(database: str) -> None:
    await prepare(database)
    async with place(database) as here:
        await here.register("hana@example.org")
        for _ in range(3):
            await here.post("/v1/credentials/ask-reset", {"email": "hana@example.org"})
        asked = [e for e in (await here.log.read(0, 1000)).events if isinstance(e.event, PasswordResetAsked)]
        assert len(asked) == 1


async def test_an_erased_account_has_no_links(here: Place) -> None:
    hana = await here.register("hana@example.org")
    token = await ask(here, "hana@example.org")
    assert (await here.post(f"/v1/users/{hana.id}/erase", by=hana)).status_code == 200
    assert (await reset(here, hana, token)).json()["code"] == "RESET_TOKEN_NOT_GOOD"
    answer = await here.post("/v1/credentials/ask-reset", {"email": "hana@example.org"})
    assert answer.json() == {"status": "ASKED"}


async def test_the_token_is_nowhere_in_the_log(here: Place) -> None:
    await here.register("hana@example.org")
    token = await ask(here, "hana@example.org")
    assert not any(token.encode() in stored.state for stored in (await here.log.read_raw(0, 1000)).events)
