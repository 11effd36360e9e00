"""`chobo payments`: the money of orders - how each payment stands, its ledger, and what fits none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.show import Json

payments = typer.Typer(
    name="payments",
    help="Look at payments: how they stand, their ledger and timeline, and what fits none of them.",
    no_args_is_help=True,
)

Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]


@payments.command("list")
def list_(
    *,
    status: Annotated[str | None, typer.Option(help="NONE, AUTHORISED, CAPTURED, OVERCHARGED, ...")] = None,
    customer: Annotated[UUID | None, typer.Option(help="Only of this user.")] = None,
    limit: Limit = 100,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """List payments, the newest first."""
    import asyncio

    from infra.cli import payment_rows
    from infra.cli.installation import reachable

    wanted = payment_rows.wanted(status, customer)
    settings = reachable(data=data, database_url=database_url)
    asyncio.run(payment_rows.show_list(settings, wanted, limit, as_json=json))


@payments.command()
def show(
    *,
    id: Annotated[UUID, typer.Argument(help="The payment's id, or its order's.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Show one: its attempts with captures and refunds, its ledger, and all that happened to it."""
    import asyncio

    from infra.cli import payment_rows
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    asyncio.run(payment_rows.show_one(settings, id, as_json=json))


@payments.command()
def unmatched(*, limit: Limit = 100, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """List what gateways told us and what fits no payment, or none of its attempts; the newest first."""
    import asyncio

    from infra.cli import payment_rows
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    asyncio.run(payment_rows.show_unmatched(settings, limit, as_json=json))
