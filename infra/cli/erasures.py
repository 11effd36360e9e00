"""`chobo erasures`: who was erased, and making a restored copy forget them too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json

erasures = typer.Typer(
    name="erasures",
    help="See who was erased, and make a restored backup forget those who were erased after it.",
    no_args_is_help=True,
)

Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]


@erasures.command("list")
def list_(*, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """List who was erased when, by id. With --json it is what CHOBO_ERASURE_LIST holds, and `apply` takes."""
    import asyncio

    from infra.cli import erasing
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    asyncio.run(erasing.show_list(settings, as_json=json))


@erasures.command()
def show(
    *,
    user: Annotated[UUID, typer.Argument(help="The user's id.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Show the receipt: every place that was looked through, and from how many rows something was taken out."""
    import asyncio

    from infra.cli import erasing
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    asyncio.run(erasing.show_receipt(settings, user, as_json=json))


@erasures.command()
def apply(
    *,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="As CHOBO_ERASURE_LIST is.")],
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
) -> None:
    """Erase everybody whom the file names and these databases do not know to be erased. There is no way back."""
    import asyncio

    from infra.cli import erasing
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    agreed(f"Erase everybody whom {file} names?", yes=yes)
    asyncio.run(erasing.apply(settings, file, reason))
