"""`chobo import`: products and stock from a file, a command a line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json
from infra.cli.verify import Data, DatabaseUrl

batch = typer.Typer(
    name="import",
    help="Import products or stock from JSON Lines or CSV: a result for each line, nothing twice. See docs/import.md.",
    no_args_is_help=True,
)

FileOfLines = Annotated[Path, typer.Argument(help=".jsonl, .ndjson or .csv", exists=True, dir_okay=False)]
ResultsFile = Annotated[Path | None, typer.Option(help="Where results are kept.  [default: FILE.results.jsonl]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which lines are commands; nothing is sent.")]
AtOnce = Annotated[int, typer.Option(min=1, max=256, help="Commands under way at once.")]
NAME = "What sets this one apart from another that says the same: number of the delivery note, date of the count."


@batch.command("products")
def products(
    *,
    file: FileOfLines,
    reason: Reason,
    name: Annotated[str, typer.Option("--batch", help=NAME)] = "",
    results: ResultsFile = None,
    at_once: AtOnce = 16,
    dry_run: DryRun = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Draft the products of a file, and activate those whose line says so. Started again it repeats nothing."""
    import asyncio

    from infra.cli import batches
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    agreed(f"Import the products of {file.name}?", yes=yes or dry_run)
    wanted = batches.Wanted("products", file, name, results, at_once, dry_run)
    raise typer.Exit(asyncio.run(batches.run(settings, wanted, reason, as_json=json)))


@batch.command("stock")
def stock(
    *,
    file: FileOfLines,
    reason: Reason,
    name: Annotated[str, typer.Option("--batch", help=NAME)],
    results: ResultsFile = None,
    at_once: AtOnce = 16,
    dry_run: DryRun = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Receive, adjust or count stock, or set thresholds, as the lines say. Started again it repeats nothing."""
    import asyncio

    from infra.cli import batches
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    agreed(f"Book the stock movements of {file.name}?", yes=yes or dry_run)
    wanted = batches.Wanted("stock", file, name, results, at_once, dry_run)
    raise typer.Exit(asyncio.run(batches.run(settings, wanted, reason, as_json=json)))
