"""`chobo serve`: the processes that clients talk to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

Host = Annotated[str | None, typer.Option(help="Address to listen on.  [default: CHOBO_HOST, 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one.  [default: CHOBO_PORT, 8000]")]


class Served(StrEnum):
    COMMANDS = "commands"
    READS = "reads"
    DASHBOARD = "dashboard"


def serve(
    *,
    what: Annotated[list[Served], typer.Argument(help="The command API, the GraphQL API, the dashboard, or several.")],
    host: Host = None,
    port: Port = None,
) -> None:
    """Serve an API or the dashboard as a process of its own, with /healthz, /readyz and /metrics beside it."""
    from infra.cli.process import run
    from infra.duties import Duty
    from infra.settings import Settings

    run(Settings.read(host=host, port=port), {Duty(one) for one in what})
