"""`chobo parked`: what consumers could not apply, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json

parked = typer.Typer(
    name="parked",
    help="Look at what consumers could not apply, try it again, or pass over it. Other aggregates flow on meanwhile.",
    no_args_is_help=True,
)

Id = Annotated[UUID, typer.Argument(help="The id that `chobo parked list` shows.")]
Ids = Annotated[list[UUID] | None, typer.Argument(help="Ids that `chobo parked list` shows.")]
Consumer = Annotated[str | None, typer.Option(help="Only of this consumer, as orders@1.")]
Context = Annotated[str | None, typer.Option(help="Only events of this context.")]
Fingerprint = Annotated[str | None, typer.Option(help="Only what has this cause: see `chobo parked list --groups`.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]
Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]


@parked.command("list")
def list_(
    *,
    consumer: Consumer = None,
    context: Context = None,
    fingerprint: Fingerprint = None,
    groups: Annotated[bool, typer.Option("--groups", help="One line for each cause, the largest first.")] = False,
    limit: Limit = 100,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """List what is parked, the oldest first."""
    import asyncio

    from infra.cli import parked_events
    from infra.cli.installation import reachable
    from projections.parked import Wanted

    settings = reachable(data=data, database_url=database_url)
    wanted = Wanted(consumer, context, fingerprint)
    show = parked_events.show_groups if groups else parked_events.show_list
    asyncio.run(show(settings, wanted, limit, as_json=json))


@parked.command()
def show(*, id: Id, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Show one: the event as it is stored, why it is parked, what waits behind it. Personal fields stay sealed."""
    import asyncio

    from infra.cli import parked_events
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    asyncio.run(parked_events.show_one(settings, id, as_json=json))


@parked.command("dry-run")
def dry_run(
    *,
    id: Ids = None,
    consumer: Consumer = None,
    fingerprint: Fingerprint = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Say what a retry would come to, by this release's code. Nothing is changed; exit code 1 when any would fail."""
    import asyncio

    from infra.cli import parked_retries
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    chosen = parked_retries.Chosen(id or [], consumer, fingerprint)
    raise typer.Exit(asyncio.run(parked_retries.dry_run(settings, chosen, as_json=json)))


@parked.command()
def retry(
    *,
    id: Ids = None,
    consumer: Consumer = None,
    fingerprint: Fingerprint = None,
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Apply what is parked and what waits behind it, in order.

    With --fingerprint all that have this cause: one of them first, and the others only if that goes well.
    """
    import asyncio

    from infra.cli import parked_retries
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    chosen = parked_retries.Chosen(id or [], consumer, fingerprint)
    agreed(f"Retry {chosen}?", yes=yes)
    raise typer.Exit(asyncio.run(parked_retries.retry(settings, chosen, reason, as_json=json)))


@parked.command()
def discard(
    *,
    id: Id,
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Pass over the parked event for good, for this consumer, and apply what waits behind it."""
    import asyncio

    from infra.cli import parked_retries
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    raise typer.Exit(asyncio.run(parked_retries.discard(settings, id, reason, yes=yes, as_json=json)))
