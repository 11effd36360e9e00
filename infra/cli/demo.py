"""`chobo demo`: a sample shop on a running Chobo, through its public HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.show import Json

Seed = Annotated[
    int | None, typer.Option(min=0, help="The same seed, the same whims of customers.  [default: another each time]")
]
Rate = Annotated[float, typer.Option(min=0.001, max=1000, help="Orders a second.")]


def demo(
    *,
    url: Annotated[str, typer.Option(help="Address of the running Chobo.")] = "http://127.0.0.1:8000",
    rate: Rate = 1.0,
    orders: Annotated[int | None, typer.Option(min=0, help="Stop after so many orders.  [default: never]")] = None,
    seed: Seed = None,
    data: Annotated[Path | None, typer.Option(help="Data directory, where the operator's password is kept.")] = None,
    json: Json = False,
) -> None:
    """Set up a sample shop - categories, 40 products, 20 customers - and let them order until Ctrl-C.

    Most pay and get what they wanted. Some are declined, leave without paying, want more than there is, cancel, or send
    goods back; and a few leave sagas that wait for an operator.
    """
    import asyncio
    from contextlib import suppress

    from infra.cli.installation import installation
    from infra.cli.sample_shop import run

    with suppress(KeyboardInterrupt):
        asyncio.run(run(installation(data=data), url, rate, orders, as_json=json, seed=seed))
