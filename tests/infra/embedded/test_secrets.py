"""Secrets of an embedded installation are made once and never again."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from infra.embedded import secrets_in


def test_secrets_are_made_once(tmp_path: Path) -> None:
    numbers = count()
    makers = {"MASTER_KEY": lambda: str(next(numbers))}
    assert secrets_in(tmp_path, makers) == secrets_in(tmp_path, makers) == {"MASTER_KEY": "0"}


def test_a_later_release_adds_its_own_and_keeps_the_rest(tmp_path: Path) -> None:
    secrets_in(tmp_path, {"OLD": lambda: "old"})
    assert secrets_in(tmp_path, {"OLD": lambda: "other", "NEW": lambda: "new"}) == {"OLD": "old", "NEW": "new"}


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    secrets_in(tmp_path, {"A": lambda: "a"})
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
