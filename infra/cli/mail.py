"""`chobo mail`: the mails that `chobo up` keeps where there is no mail server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.show import Json

mail = typer.Typer(help="Look at the mails that were kept instead of sent.", no_args_is_help=True, name="mail")

Data = Annotated[Path | None, typer.Option(help="Data directory of `chobo up`.")]


@mail.command("list")
def list_(
    *,
    data: Data = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 50,
    json: Json = False,
) -> None:
    """List them, the newest first."""
    from infra.cli import kept_mails
    from infra.cli.installation import installation

    kept_mails.show_list(installation(data=data), limit, as_json=json)


@mail.command()
def show(
    *,
    id: Annotated[UUID, typer.Argument(help="Of its notification, as `chobo mail list` shows it.")],
    html: Annotated[bool, typer.Option("--html", help="The HTML instead of the text.")] = False,
    data: Data = None,
) -> None:
    """Show one as its reader sees it."""
    from infra.cli import kept_mails
    from infra.cli.installation import installation

    kept_mails.show_one(installation(data=data), id, html=html)
