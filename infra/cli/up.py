"""`chobo up`: everything in one process, on a PostgreSQL of its own unless one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.demo import Seed
from infra.cli.show import Json


def up(
    *,
    data: Annotated[Path | None, typer.Option(help="Directory of the data and the secrets.  [default: data]")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one.  [default: 8000]")] = None,
    database_url: Annotated[str | None, typer.Option(help="A PostgreSQL 18 instead of the embedded one.")] = None,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Through Kafka: that of CHOBO_KAFKA_BOOTSTRAP, or one of its own (Java 17).")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Run the sample shop as well.")] = False,
    rate: Annotated[float, typer.Option(min=0.001, max=1000, help="With --demo: its orders a second.")] = 1.0,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Start everything in one process; Ctrl-C stops it in order and loses nothing."""
    from infra.cli.all_in_one import AllInOne

    flags = {"data": data, "host": host, "port": port, "database_url": database_url, "feed": "kafka" if kafka else None}
    AllInOne(flags, as_json=json, demo=rate if demo else None, seed=seed).run()
