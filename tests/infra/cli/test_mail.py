"""`chobo mail`: what `chobo up` keeps where there is no mail server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

from infra.cli.installation import MAIL
from infra.mail.kept import MailDirectory
from tests.infra.cli.process import chobo, lines
from tests.infra.mail.letters import NOTIFICATION, SENDER, letter


def test_kept_mails_are_listed_and_shown(data: Path) -> None:
    assert lines(chobo("mail", "list", "--json", "--data", str(data))) == []
    asyncio.run(MailDirectory(data / MAIL, SENDER).send(letter()))
    (mail,) = lines(chobo("mail", "list", "--json", "--data", str(data)))
    assert (mail["id"], mail["to"], mail["subject"]) == (str(NOTIFICATION), "Hana <hana@example.org>", "ご注文")
    shown = chobo("mail", "show", str(NOTIFICATION), "--data", str(data)).stdout
    assert "Subject: ご注文\n\n本文\n" in shown
    assert "<p>本文</p>" in chobo("mail", "show", str(NOTIFICATION), "--html", "--data", str(data)).stdout


def test_a_mail_that_there_is_not_is_refused(data: Path) -> None:
    done = chobo("mail", "show", str(uuid4()), "--data", str(data))
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no mail" in done.stderr
