"""What stands between us and a mail server: encryption that is not given up, and a name with a password."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd import smtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from infra.mail.smtp import Server, SmtpSender
from infra.notify.channel import Deferred
from infra.settings import SmtpSecurity
from tests.infra.mail.letters import SENDER, Postman, letter, post_office


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "post.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@asynccontextmanager
async def office(postman: Postman, certificate: Path, *, tls: bool = False, **more: Any) -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()

    def connection() -> smtp.SMTP:
        return smtp.SMTP(postman, hostname="post.example", loop=loop, tls_context=None if tls else context, **more)

    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=context if tls else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def sender(port: int, security: SmtpSecurity, password: str | None = None) -> SmtpSender:
    user = "shop" if password else None
    server = Server("127.0.0.1", port, security, user, SecretStr(password) if password else None, timeout=5)
    return SmtpSender(server, SENDER)


@pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
async def test_mails_go_encrypted_to_a_server_that_is_who_it_says(
    certificate: Path, security: SmtpSecurity, monkeypatch: pytest.MonkeyPatch
) -> None:
    postman = Postman()
    async with office(postman, certificate, tls=security is SmtpSecurity.TLS) as port:
        with pytest.raises(Deferred, match="cannot be reached"):
            await sender(port, security).send(letter())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await sender(port, security).send(letter())
    assert len(postman.kept) == 1


async def test_nothing_is_sent_in_the_clear_to_a_server_that_cannot_encrypt() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        with pytest.raises(Deferred, match="cannot be reached"):
            await sender(port, SmtpSecurity.STARTTLS).send(letter())
    assert postman.kept == []


async def test_a_wrong_password_is_our_fault_and_no_end_of_the_mail(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, said: Any) -> smtp.AuthResult:
        right = (said.login, said.password) == (b"shop", b"right")
        return smtp.AuthResult(success=right, handled=right)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    postman = Postman()
    async with office(postman, certificate, authenticator=authenticator, auth_required=True) as port:
        with pytest.raises(Deferred, match=r"refused our name or password \(535\)"):
            await sender(port, SmtpSecurity.STARTTLS, "wrong").send(letter())
        await sender(port, SmtpSecurity.STARTTLS, "right").send(letter())
    assert len(postman.kept) == 1
