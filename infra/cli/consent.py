"""What changes something says why, and asks first."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Reason = Annotated[str, typer.Option(help="Why. It is recorded for good, so name no customer in it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def agreed(question: str, *, yes: bool) -> None:
    """Returns when it may be done; else the command ends. Where nobody can be asked, `--yes` is required."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} Say --yes: there is nobody to ask.")
    typer.confirm(question, abort=True)
