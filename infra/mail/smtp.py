"""Mails by SMTP, each in a connection of its own.

4xx, an unreachable server and refused credentials are tried again; any other 5xx is the end of that mail. What a server
says may quote the address it is about, so only its number goes any further.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final

import aiosmtplib
from pydantic import SecretStr

from commands.services import utc_now
from infra.mail.message import mail
from infra.notify.channel import Deferred, Letter, Undeliverable
from infra.settings import SmtpSecurity

TIMEOUT: Final = 20.0  # seconds; less than a to-do worker's lease


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    security: SmtpSecurity
    user: str | None = None
    password: SecretStr | None = None
    timeout: float = TIMEOUT

    def client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password.get_secret_value() if self.password else None,
            use_tls=self.security is SmtpSecurity.TLS,
            start_tls=self.security is SmtpSecurity.STARTTLS,
            timeout=self.timeout,
        )


class SmtpSender:
    def __init__(self, server: Server, sender: str) -> None:
        """`sender`: the shop's name and address, as in `Chobo <shop@chobo.example>`."""
        self._server = server
        self._sender = sender

    async def send(self, letter: Letter) -> str:
        """The Message-ID. Raises Undeliverable, Deferred."""
        message = mail(letter, self._sender, utc_now())
        with explained():
            async with self._server.client() as client:
                await client.send_message(message, sender=parseaddr(self._sender)[1])
        return str(message["Message-ID"])


@contextmanager
def explained() -> Iterator[None]:
    try:
        yield
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Deferred(f"the mail server refused our name or password ({error.code})") from None
    except aiosmtplib.SMTPNotSupported:
        raise Undeliverable("ADDRESS_NOT_SUPPORTED", "the mail server takes no such address") from None
    except aiosmtplib.SMTPException as error:
        raise outcome(error) from None
    except OSError as error:
        raise Deferred(f"the mail server cannot be reached: {type(error).__name__}") from None


def outcome(error: aiosmtplib.SMTPException) -> Deferred | Undeliverable:
    code = code_of(error)
    if code is None:
        return Deferred(f"the mail server cannot be reached: {type(error).__name__}")
    if 500 <= code < 600 and not isinstance(error, aiosmtplib.SMTPConnectResponseError | aiosmtplib.SMTPHeloError):
        return Undeliverable(f"SMTP_{code}", f"the mail server answered {code}")
    return Deferred(f"the mail server answered {code}")


def code_of(error: aiosmtplib.SMTPException) -> int | None:
    """What the server answered; None where it did not answer."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return max(refused.code for refused in error.recipients)
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
