"""Mails to a real SMTP server, and what becomes of them when it does not want them."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from infra.mail.message import message_id
from infra.notify.channel import Deferred, Undeliverable
from tests.infra.mail.letters import NOTIFICATION, SENDER, Postman, letter, post_office, sender


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_a_mail_arrives_as_it_was_written_in_both_formats() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        reference = await sender(port).send(letter())
    (mail,) = postman.kept
    assert reference == mail["Message-ID"] == message_id(NOTIFICATION, SENDER) == f"<{NOTIFICATION}@chobo.example>"
    assert (mail["Subject"], mail["To"], mail["Content-Language"]) == ("ご注文", "Hana <hana@example.org>", "ja")
    parts = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
    assert {kind: part.get_content().strip() for kind, part in parts.items() if part} == {
        "plain": "本文",
        "html": "<p>本文</p>",
    }
    assert postman.recipients == ["hana@example.org"]


async def test_sent_again_it_has_the_same_message_id() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        for _ in range(2):
            await sender(port).send(letter())
    assert len({mail["Message-ID"] for mail in postman.kept}) == 1


async def test_a_host_in_other_letters_is_written_in_ascii() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        await sender(port).send(letter("hana@bücher.example"))
    assert postman.recipients == ["hana@xn--bcher-kva.example"]


async def test_an_address_in_other_letters_is_written_in_utf8_where_the_server_takes_that() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        await sender(port).send(letter("花@example.org"))
    assert postman.recipients == ["花@example.org"]


async def test_what_is_refused_for_now_can_be_sent_later() -> None:
    postman = Postman("451 hana@example.org: try again")
    async with post_office(postman) as port:
        with pytest.raises(Deferred, match=r"^the mail server answered 451$"):
            await sender(port).send(letter())
        await sender(port).send(letter())
    assert len(postman.kept) == 1


async def test_what_is_refused_for_good_is_not_tried_again_and_tells_nothing_of_anybody() -> None:
    async with post_office(Postman("550 hana@example.org is unknown here")) as port:
        with pytest.raises(Undeliverable) as refused:
            await sender(port).send(letter())
    assert (refused.value.code, refused.value.why) == ("SMTP_550", "the mail server answered 550")
    assert refused.value.__suppress_context__


async def test_a_server_that_is_away_is_waited_for() -> None:
    with pytest.raises(Deferred, match=r"^the mail server cannot be reached: SMTPConnectError$"):
        await sender(free_port()).send(letter())


async def test_a_server_that_says_nothing_is_waited_for() -> None:
    open: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: open.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Deferred, match=r"cannot be reached: SMTP.*Timeout"):
        await sender(port, timeout=0.2).send(letter())
    for writer in open:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_a_server_that_dies_before_it_answers_may_have_taken_it_and_gets_the_same_mail_again() -> None:
    class Dies(Postman):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            said = await super().handle_DATA(server, session, envelope)
            if len(self.kept) == 1:
                server.transport.abort()
            return said

    postman = Dies()
    async with post_office(postman) as port:
        with pytest.raises(Deferred, match="cannot be reached"):
            await sender(port).send(letter())
        await sender(port).send(letter())
    assert [mail["Message-ID"] for mail in postman.kept] == [message_id(NOTIFICATION, SENDER)] * 2
