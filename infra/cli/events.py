"""`chobo events`: what the logs hold, as it was stored; personal fields stay sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.show import Json


def events(
    *,
    context: Annotated[list[str] | None, typer.Option(help="Only this context's (may be repeated).")] = None,
    stream: Annotated[UUID | None, typer.Option(help="Only the events of this aggregate, from its first on.")] = None,
    correlation: Annotated[str | None, typer.Option(help="Only what this request or saga led to.")] = None,
    after: Annotated[int | None, typer.Option(min=0, help="What comes after this position, not the last ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many events of each context.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    data: Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")] = None,
    database_url: Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")] = None,
    json: Json = False,
) -> None:
    """List the last events of every context, of one stream or correlation, or follow them."""
    import asyncio
    from contextlib import suppress

    from infra.cli import event_list
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    wanted = event_list.Wanted(stream, correlation, after, limit)
    with suppress(KeyboardInterrupt):
        asyncio.run(event_list.run(settings, context or [], wanted, follow=follow, as_json=json))
