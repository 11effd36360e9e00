"""`chobo replay`: read models built anew beside the live ones, compared, switched to, rolled back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json

replay = typer.Typer(
    name="replay",
    help="Build a read model anew beside the live one, compare the two, and lead readers over and back.",
    no_args_is_help=True,
)

Model = Annotated[str, typer.Argument(help="Name of a read model, as `chobo models` lists them.")]
One = Annotated[str, typer.Argument(help="A read model, or one generation of it as orders@2.")]
Some = Annotated[str | None, typer.Argument(help="Only this read model.")]
Until = Annotated[
    str | None,
    typer.Option(help="As of a time (2026-01-31T12:00:00Z) or a position (p1234), not followed any further."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Stay until it is built, and say how far it is.")]
Force = Annotated[bool, typer.Option("--force", help="Although it was not compared, or has parked events.")]
Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]


@replay.command()
def start(
    *,
    model: Model,
    until: Until = None,
    reason: Reason,
    watch: Watch = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Begin to build the next generation of a read model from its log. Readers notice nothing."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    moment = replay_desk.moment(until)
    agreed(f"Build {model} anew" + (f" as of {moment}?" if moment else "?"), yes=yes)
    replay_desk.run(replay_desk.start(settings, model, moment, reason, watching=watch, as_json=json))


@replay.command("list")
def list_(
    *,
    model: Some = None,
    ended: Annotated[bool, typer.Option("--ended", help="Cancelled and dropped ones too.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """List the generations of read models, what they are and what a comparison found."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    replay_desk.run(replay_desk.show_list(settings, model, ended=ended, as_json=json))


@replay.command()
def watch(*, model: Some = None, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Show progress, rate and time left of what is being built, until it is."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    replay_desk.run(replay_desk.watch(settings, model, as_json=json))


@replay.command()
def compare(
    *, model: One, reason: Reason, data: Data = None, database_url: DatabaseUrl = None, json: Json = False
) -> None:
    """Compare a built generation with the live one, row by row; exit code 1 when they differ.

    What was found is kept with the generation, and who compared them, and why, in the audit log. Rows that are being
    written to are looked at again.
    """
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    replay_desk.run(replay_desk.compare(settings, model, reason, as_json=json))


@replay.command()
def switch(
    *,
    model: One,
    reason: Reason,
    force: Force = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Lead readers to a built generation, all its tables at once. The one they saw is kept and followed."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    found = replay_desk.found(settings, model, replay_desk.switchable)
    agreed(f"Lead readers to {found.name}? {replay_desk.verdict(found)}", yes=yes)
    replay_desk.run(replay_desk.switch(settings, found, reason, force=force, as_json=json))


@replay.command()
def rollback(
    *,
    model: Model,
    reason: Reason,
    force: Force = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Lead readers back to the generation they saw before the last switch."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    found = replay_desk.found(settings, model, replay_desk.seen_by_readers)
    agreed(f"Lead readers back from {found.name} to the one kept last?", yes=yes)
    replay_desk.run(replay_desk.roll_back(settings, found, reason, force=force, as_json=json))


@replay.command()
def cancel(
    *,
    model: One,
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give up a generation that is being built, or was built and never switched to."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    found = replay_desk.found(settings, model, replay_desk.cancellable)
    agreed(f"Give up {found.name} and throw its tables away?", yes=yes)
    replay_desk.run(replay_desk.cancel(settings, found, reason, as_json=json))


@replay.command()
def drop(
    *,
    model: One,
    reason: Reason,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Throw away a generation that is kept, or one as of a moment. There is no way back to it."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    found = replay_desk.found(settings, model, replay_desk.droppable)
    agreed(f"Throw the tables of {found.name} away for good?", yes=yes)
    replay_desk.run(replay_desk.drop(settings, found, reason, as_json=json))


def models(*, model: Some = None, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """List every read model: generation, status, events and seconds behind, what is parked."""
    from infra.cli import replay_desk
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    replay_desk.run(replay_desk.show_models(settings, model, as_json=json))
