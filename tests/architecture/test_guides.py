"""What the guides tell people to type is understood."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from infra.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> Iterator[str]:
    """The lines of code that begin with `chobo`, joined where they go on."""
    for line in page.read_text().replace("\\\n", " ").splitlines():
        said = line.strip().removeprefix(".venv/bin/")
        if line.startswith(("    ", ".venv/bin/")) and said.startswith("chobo "):
            yield said


LINES = [(page.relative_to(ROOT), line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize("page, line", LINES, ids=str)
def test_every_command_and_option_exists(page: Path, line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line.partition(" | ")[0], comments=True)[1:]
    while hasattr(command, "commands"):
        name = words.pop(0)
        if name.startswith("-"):
            return
        assert name in command.commands, f"{line}: there is no {name}"
        command = command.commands[name]
    words = [word for word in words if word not in {"&", ">"}]
    command.make_parser(command.context_class(command)).parse_args(words)


def test_there_are_some() -> None:
    assert any("parked retry" in line for _, line in LINES)
