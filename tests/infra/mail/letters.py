"""Letters to send, and mail servers that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd import smtp

from domain.ids import NotificationId, derive
from infra.mail.smtp import Server, SmtpSender
from infra.notify.channel import Addressee, Letter
from infra.settings import SmtpSecurity

SENDER = "Chobo <shop@chobo.example>"
NOTIFICATION = NotificationId(derive("test", "notification"))
HANA = derive("test", "hana")


def letter(email: str = "hana@example.org", name: str = "Hana") -> Letter:
    return Letter(NOTIFICATION, HANA, Addressee(email, name), "ja", "ご注文", "本文\n", "<p>本文</p>")


class Postman:
    """aiosmtpd's handler. `answers` are what it says to each recipient in turn, then yes; `kept` what it took."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.kept: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.on_accepted: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802  # aiosmtpd looks for this name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.kept.append(message)
        self.recipients += envelope.rcpt_tos
        self.on_accepted()
        return "250 taken"


@asynccontextmanager
async def post_office(postman: Postman, port: int = 0) -> AsyncIterator[int]:
    """A real SMTP server on loopback. Its port."""

    def connection() -> smtp.SMTP:
        return smtp.SMTP(postman, enable_SMTPUTF8=True, hostname="post.example", loop=asyncio.get_running_loop())

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def sender(port: int, timeout: float = 5.0) -> SmtpSender:
    return SmtpSender(Server("127.0.0.1", port, SmtpSecurity.NONE, timeout=timeout), SENDER)
