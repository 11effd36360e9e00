"""`chobo move-context`: a context's log to a database of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json
from infra.cli.verify import Data, DatabaseUrl


def move_context(
    *,
    context: Annotated[str, typer.Argument(help="users, products, orders, ...")],
    to: Annotated[str, typer.Option(help="Address of the other PostgreSQL 18 database.")],
    reason: Reason,
    abort: Annotated[bool, typer.Option("--abort", help="Give up a move that was broken off: writers go on.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Copy a context's log to another database beside its writers, stop them for the last of it, verify, cut over.

    Killed in between, it is started again or given up with --abort.
    """
    import asyncio

    from infra.cli import moving
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    question = f"Give up moving {context}?" if abort else f"Move {context}? Its writers stop until they are restarted."
    agreed(question, yes=yes)
    do = moving.give_up if abort else moving.move
    asyncio.run(do(settings, context, to, reason, as_json=json))
