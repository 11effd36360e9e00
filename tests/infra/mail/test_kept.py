"""Mails that are kept where there is no mail server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from infra.mail.kept import INDEX, MailDirectory
from tests.infra.mail.letters import HANA, NOTIFICATION, SENDER, letter


def directory(path: Path) -> MailDirectory:
    return MailDirectory(path / "mail", SENDER)


async def test_a_mail_is_kept_once_and_listed_newest_first(tmp_path: Path) -> None:
    kept = directory(tmp_path)
    assert kept.entries() == []
    other = replace(letter(), id=uuid4(), subject="Another")
    for each in (letter(), other, letter()):
        await kept.send(each)
    assert [(entry.id, entry.subject) for entry in kept.entries()] == [(other.id, "Another"), (NOTIFICATION, "ご注文")]
    mail = kept.read(NOTIFICATION)
    assert mail is not None
    assert mail["To"] == "Hana <hana@example.org>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "本文"


@pytest.mark.parametrize("text", ["Hello\n\nbye\n", "本文\n", "x" * 2_000 + "\n"])
async def test_a_text_is_read_as_it_was_written_and_no_line_is_too_long_for_a_server(tmp_path: Path, text: str) -> None:
    kept = directory(tmp_path)
    await kept.send(replace(letter(), text=text, html=f"<p>{text}</p>"))
    mail = kept.read(NOTIFICATION)
    assert mail is not None
    plain, html = mail.iter_parts()
    assert (mail.get_content_type(), plain.get_content_type(), html.get_content_type()) == (
        "multipart/alternative",
        "text/plain",
        "text/html",
    )
    said = [each.get_content().replace("\r\n", "\n") for each in (plain, html)]
    assert said == [text, f"<p>{text}</p>"]
    file = (tmp_path / "mail" / f"{NOTIFICATION}.eml").read_bytes()
    assert max(map(len, file.split(b"\r\n"))) <= 998
    assert file.isascii()


async def test_what_a_process_that_died_left_of_a_line_harms_no_other(tmp_path: Path) -> None:
    kept, other = directory(tmp_path), replace(letter(), id=uuid4())
    await kept.send(letter())
    index = tmp_path / "mail" / INDEX
    index.write_bytes(index.read_bytes() + b'{"id": "5')
    await kept.send(other)
    assert {entry.id for entry in kept.entries()} == {NOTIFICATION, other.id}


async def test_a_mail_that_was_only_announced_is_not_listed_and_is_kept_when_sent_again(tmp_path: Path) -> None:
    kept = directory(tmp_path)
    await kept.send(letter())
    (tmp_path / "mail" / f"{NOTIFICATION}.eml").unlink()
    assert kept.entries() == []
    await kept.send(letter())
    assert [entry.id for entry in kept.entries()] == [NOTIFICATION]


async def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    await directory(tmp_path).send(letter())
    assert {file.stat().st_mode & 0o077 for file in (tmp_path / "mail").iterdir() if file.name != "lock"} == {0}
    assert (tmp_path / "mail").stat().st_mode & 0o077 == 0


async def test_nothing_is_left_of_who_is_forgotten(tmp_path: Path) -> None:
    kept, other = directory(tmp_path), replace(letter(), id=uuid4(), user_id=uuid4())
    for each in (letter(), other):
        await kept.send(each)
    assert [await kept.forget(HANA), await kept.forget(HANA)] == [1, 0]
    assert [entry.id for entry in kept.entries()] == [other.id]
    assert {file.name for file in (tmp_path / "mail").iterdir()} == {f"{other.id}.eml", INDEX, "lock"}


async def test_nobody_is_forgotten_where_nothing_is_kept(tmp_path: Path) -> None:
    assert await directory(tmp_path).forget(HANA) == 0
    assert not (tmp_path / "mail").exists()
