"""`chobo work`: the processes that follow the logs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from infra.cli.serve import Host, Port


class Worked(StrEnum):
    RELAY = "relay"
    PROJECTIONS = "projections"
    SAGAS = "sagas"
    TODO = "todo"


def work(
    *,
    what: Annotated[
        list[Worked], typer.Argument(help="From log to topic, read models, sagas, or durable pieces of work.")
    ],
    context: Annotated[list[str] | None, typer.Option(help="Relay only this one's log (may be repeated).")] = None,
    host: Host = None,
    port: Port = None,
) -> None:
    """Work in the background as a process of its own; its address has /healthz, /readyz and /metrics only."""
    from infra.cli.process import run
    from infra.contexts import CONTEXTS, named
    from infra.duties import Duty
    from infra.settings import Settings

    duties = {Duty(one) for one in what}
    if context and duties != {Duty.RELAY}:
        raise typer.BadParameter("--context is for `chobo work relay` alone; every other process needs all contexts")
    try:
        contexts = named(context) if context else CONTEXTS
    except LookupError as error:
        raise typer.BadParameter(str(error)) from None
    run(Settings.read(host=host, port=port), duties, contexts)
