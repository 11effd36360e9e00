"""`chobo verify`: whether log, read models and topic say the same; each wrong thing is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.show import Json

verify = typer.Typer(name="verify", help="Compare log, read models and topic; exit code 1 when something is wrong.")

Contexts = Annotated[list[str] | None, typer.Option("--context", help="Only this context's (may be repeated).")]
Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]


@verify.command("log")
def log(*, context: Contexts = None, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Check positions, versions and ids of the logs, and that this release can read every event."""
    from infra.cli import verifying
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    raise typer.Exit(verifying.run(verifying.logs(settings, context or []), as_json=json))
