"""From an event to a mail: everything in one process, with a real mail server beside it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor, Role
from domain.ids import new_id
from tests.e2e.buggy_shop import Shop, opened
from tests.eventually import until
from tests.infra.mail.letters import Postman, post_office

ALL = "{ notifications(first: 100) { nodes { id channel trigger status unread code facts { name value } } } }"


@dataclass
class Post:
    shop: Shop
    postman: Postman

    def mails_to(self, address: str) -> dict[str, str]:
        """Text by subject."""
        mails = [mail for mail in self.postman.kept if address in str(mail["To"])]
        return {str(mail["Subject"]): text(mail) for mail in mails}

    async def arrived(self, subject: str, to: str = "") -> str:
        """The text of the mail whose subject begins like this."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [text for s, text in self.mails_to(to).items() if s.startswith(subject)]
            return bool(found)

        await until(is_there)
        return found[0]

    async def seen(self, who: str) -> list[dict[str, Any]]:
        """The notifications of a customer, as the read API shows them."""
        token = self.shop.system.tokens.access(Actor(UUID(who), frozenset({Role.CUSTOMER})))[0]
        answer = await self.shop.http.post(
            "/graphql", json={"query": ALL}, headers={"authorization": f"Bearer {token}"}
        )
        return list(answer.json()["data"]["notifications"]["nodes"])

    async def settled(self) -> None:
        """Until nothing is left to tell."""

        async def closed() -> bool:
            rows = await self.shop.said("todo", "list")
            return all(row["status"] != "OPEN" for row in rows if row["kind"] in {"notify", "deliver"})

        await until(closed)


def text(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


@asynccontextmanager
async def trading(database: str, **settings: Any) -> AsyncIterator[Post]:
    postman = Postman()
    async with post_office(postman) as port:
        mail: dict[str, Any] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_security": "none",
            "staff_email": "staff@chobo.example",
        }
        async with opened(database, **mail, **settings) as shop:
            yield Post(shop, postman)


@pytest.fixture
async def post(database: str) -> AsyncIterator[Post]:
    async with trading(database, public_url="https://shop.example") as post:
        yield post


async def test_an_order_is_told_of_at_every_step_once(post: Post) -> None:
    order = str(new_id())
    await post.shop.order(order)
    text = await post.arrived(f"Your order {order} is on its way", "ann@example.com")
    assert "Hello Ann," in text
    assert "Carrier: DHL" in text
    assert f"https://shop.example/orders/{order}" in text
    await post.settled()
    mails = [str(mail["Subject"]) for mail in post.postman.kept if "ann@" in mail["To"]]
    assert sorted(mails) == sorted(
        [
            "Welcome to Chobo",
            f"We have your order {order}",
            f"Your order {order} is confirmed",
            f"Your order {order} is on its way",
        ]
    )
    assert "1 x Tea" in post.mails_to("ann@")[f"We have your order {order}"]

    async def in_the_inbox() -> bool:
        inbox = [n for n in await post.seen(post.shop.customer) if n["channel"] == "IN_APP" and n["status"] == "SENT"]
        return {n["trigger"] for n in inbox if n["unread"]} == {"order-placed", "order-confirmed", "order-shipped"}

    await until(in_the_inbox)


async def test_who_wants_no_updates_gets_no_mail_but_finds_them_in_the_inbox(post: Post) -> None:
    path, settings = f"/v1/users/{post.shop.customer}/change-settings", {"locale": "en", "notices": []}
    await post.shop.post(path, {"settings": settings}, **{"if-match": "*"})
    await post.shop.order(str(new_id()))
    await until(lambda: inbox(post, 3))
    await post.settled()
    assert set(post.mails_to("ann@")) == {"Welcome to Chobo"}


async def inbox(post: Post, number: int) -> bool:
    return [n["channel"] for n in await post.seen(post.shop.customer)].count("IN_APP") == number


async def test_who_reads_japanese_is_written_to_in_japanese(post: Post) -> None:
    person = {"email": "hana@example.com", "password": "correct horse", "name": "花子", "locale": "ja-JP"}
    await post.shop.post("/v1/users", person)
    assert "花子 様" in await post.arrived("Choboへようこそ", "hana@example.com")


async def test_a_forgotten_password_is_set_anew_by_the_mailed_link_which_is_good_once(post: Post) -> None:
    answer = await post.shop.http.post("/v1/credentials/ask-reset", json={"email": "ann@example.com"})
    assert answer.status_code == 202
    link = re.search(
        r"https://shop.example/reset-password#user=(\S+)&token=(\S+)", await post.arrived("Set a new password")
    )
    assert link is not None
    body = {"userId": link[1], "token": link[2], "password": "quite another"}
    assert (await post.shop.http.post("/v1/credentials/reset", json=body)).status_code == 200
    assert (await post.shop.http.post("/v1/credentials/reset", json=body)).json()["code"] == "RESET_TOKEN_NOT_GOOD"
    session = {"email": "ann@example.com", "password": "quite another"}
    assert (await post.shop.http.post("/v1/sessions", json=session)).status_code == 200


async def test_an_account_is_opened_by_the_mailed_link_where_the_shop_asks_for_it(database: str) -> None:
    async with trading(database, activation_by_mail=True) as post:
        hana = await post.shop.http.post(
            "/v1/users", json={"email": "hana@example.com", "password": "correct horse", "name": "Hana"}
        )
        assert hana.json()["status"] == "REGISTERED"
        text = await post.arrived("Welcome", "hana@example.com")
        link = re.search(r"/activate#user=(\S+)&token=(\S+)", text)
        assert link is not None
        done = await post.shop.http.post(f"/v1/users/{link[1]}/activate", json={"token": link[2]})
        assert done.json()["status"] == "ACTIVE"


async def test_stock_that_runs_low_or_out_is_told_to_the_staff_once_for_each_crossing(post: Post) -> None:
    stock = f"/v1/stock/{post.shop.variant}"
    await post.shop.post(f"{stock}/set-threshold", {"threshold": 3}, **{"if-match": "*"})
    await post.shop.post(f"{stock}/receive", {"quantity": 10})
    for change in (-7, -1, -2):
        await post.shop.post(f"{stock}/adjust", {"change": change, "reason": "DAMAGED"})
    await post.arrived("Out of stock: Tea", "staff@chobo.example")
    await post.settled()
    mails = post.mails_to("staff@chobo.example")
    assert [subject for subject in mails if subject.startswith("Low stock: Tea")] == ["Low stock: Tea"]
    assert "Tea (TEA) is running low: 3 left to sell." in mails["Low stock: Tea"]
    assert len(post.postman.kept) == len({mail["Message-ID"] for mail in post.postman.kept})


async def test_who_is_erased_before_it_is_sent_gets_nothing_and_that_is_an_outcome(database: str) -> None:
    async with trading(database) as post:
        for name in ("ann", "olga"):
            await post.arrived("Welcome", f"{name}@example.com")
        await post.settled()
        post.postman.answers = ["451 later"] * 1000
        hana = await post.shop.register("hana")
        await until(lambda: len(post.postman.answers) < 1000)
        herself = Actor(UUID(hana), frozenset({Role.CUSTOMER}))
        headers = {"authorization": f"Bearer {post.shop.system.tokens.access(herself)[0]}"}
        assert (await post.shop.http.post(f"/v1/users/{hana}/erase", json={}, headers=headers)).status_code == 200
        post.postman.answers = []
        rows = await post.shop.said("todo", "list", "--kind", "deliver", "--failing")
        for row in rows:
            await post.shop.chobo("todo", "retry", row["id"], "--reason", "To see", "--yes")

        async def failed() -> bool:
            found = await post.shop.said("todo", "list", "--kind", "deliver", "--status", "FAILED")
            return any(row["outcome"]["error"] == "the user was erased" for row in found)

        await until(failed, within=60)
        assert post.mails_to("hana@example.com") == {}
        assert not any("hana@example.com" in str(row["last_error"]) for row in rows)
