"""`chobo todo`: the durable pieces of work - what is open, what fails, and taking one in hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json

todo = typer.Typer(
    name="todo",
    help="Look at the durable pieces of work: calls, mails, commands, timers. `chobo work todo` does them.",
    no_args_is_help=True,
)

Id = Annotated[UUID, typer.Argument(help="The id that `chobo todo list` shows.")]
Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]


@todo.command("list")
def list_(
    *,
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    status: Annotated[str | None, typer.Option(help="OPEN, PAUSED, DONE or FAILED.  [default: all but DONE]")] = None,
    failing: Annotated[bool, typer.Option("--failing", help="Only what was tried in vain so far.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """List pieces of work, what is due first, first."""
    import asyncio

    from infra.cli import todo_rows
    from infra.cli.installation import reachable

    wanted = todo_rows.wanted(kind, status, failing=failing)
    settings = reachable(data=data, database_url=database_url)
    asyncio.run(todo_rows.show_list(settings, wanted, limit, as_json=json))


@todo.command()
def show(
    *,
    id: Annotated[UUID, typer.Argument(help="Its id, or the id of what it is about.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Show one: when it is due, how often it was tried, what came of it."""
    import asyncio

    from infra.cli import todo_rows
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    asyncio.run(todo_rows.show_one(settings, id, as_json=json))


@todo.command()
def retry(*, id: Id, reason: Reason, data: Data = None, database_url: DatabaseUrl = None, yes: Yes = False) -> None:
    """Make one due at once, a paused one too."""
    import asyncio

    from infra.cli import todo_rows
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    agreed(f"Try to-do {id} now?", yes=yes)
    asyncio.run(todo_rows.retry(settings, id, reason))


@todo.command()
def pause(*, id: Id, reason: Reason, data: Data = None, database_url: DatabaseUrl = None, yes: Yes = False) -> None:
    """Let no worker take it until `chobo todo retry`. Whoever is at it may end it."""
    import asyncio

    from infra.cli import todo_rows
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    agreed(f"Pause to-do {id}?", yes=yes)
    asyncio.run(todo_rows.pause(settings, id, reason))


@todo.command()
def begin(
    *,
    context: Annotated[str, typer.Argument(help="Whose events ask for work.")],
    after: Annotated[str, typer.Option("--from", help="Take note of events after this position, or `head`.")],
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
) -> None:
    """Take note of events from here on, as after a restore, and let sagas hear them.

    What is done already is found in the log and not repeated; a saga knows what it has heard.
    """
    import asyncio

    from infra.cli import todo_rows
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    position = todo_rows.position(context, after)
    agreed(f"Take note of events of {context} after {after}?", yes=yes)
    asyncio.run(todo_rows.begin(settings, context, position, reason))
