"""`chobo log`: what a log is, and its way into a file and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json
from infra.cli.verify import Contexts, Data, DatabaseUrl

log = typer.Typer(
    name="log", help="Look at a context's log, export it, import it into an empty one.", no_args_is_help=True
)

KEYS_OUT = "Also write the wrapped personal-data keys of all users, to this other file. Guard it: see the runbook."
KEYS_IN = "Also take in the personal-data keys of this file; destroyed keys stay destroyed."


@log.command("info")
def info(*, context: Contexts = None, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Show head, incarnation, size and age of each log."""
    from infra.cli import log_tools
    from infra.cli.installation import reachable

    log_tools.show_info(reachable(data=data, database_url=database_url), context or [], as_json=json)


@log.command("export")
def export(
    *,
    context: Annotated[str, typer.Argument(help="users, products, orders, ...")],
    file: Annotated[Path, typer.Argument(help="JSON Lines; compressed when it ends in .zst", dir_okay=False)],
    keys: Annotated[Path | None, typer.Option(help=KEYS_OUT, dir_okay=False)] = None,
    reason: Annotated[str | None, typer.Option(help="With --keys: why. It is recorded.")] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Write a log as it is now into a file, personal fields sealed. Writers go on meanwhile."""
    import asyncio

    from infra.cli import log_tools
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    if keys is not None and not reason:
        raise typer.BadParameter("--keys takes secrets out of the database: say --reason")
    asyncio.run(log_tools.export_log(settings, context, file, keys, reason or "", as_json=json))


@log.command("import")
def take_in(
    *,
    file: Annotated[Path, typer.Argument(help="What `chobo log export` wrote.", exists=True, dir_okay=False)],
    reason: Reason,
    keys: Annotated[Path | None, typer.Option(help=KEYS_IN, exists=True, dir_okay=False)] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Read an exported log into the empty log of its context: all of it, verified by count and digest, or nothing."""
    import asyncio

    from infra.cli import log_tools
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    context = log_tools.context_of(file)
    agreed(f"Import {file.name} as the log of {context}?", yes=yes)
    asyncio.run(log_tools.import_log(settings, context, file, keys, reason, as_json=json))


@log.command("new-incarnation")
def new_incarnation(
    *,
    context: Annotated[str, typer.Argument(help="users, products, orders, ...")],
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Say that a log is no longer the one its consumers followed: they stop until they are built anew."""
    import asyncio

    from infra.cli import log_tools
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    agreed(f"Begin a new incarnation of {context}? All its consumers stop.", yes=yes)
    asyncio.run(log_tools.begin_incarnation(settings, context, reason, as_json=json))
