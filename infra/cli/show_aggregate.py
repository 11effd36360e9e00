"""`chobo show`: any aggregate as it was at any moment, and what lies between two moments."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.show import Json


class Kind(StrEnum):
    USER = "user"
    CREDENTIALS = "credentials"
    PRODUCT = "product"
    STOCK = "stock"
    RESERVATION = "reservation"
    RESTOCK = "restock"
    CATEGORIES = "categories"
    CLAIM = "claim"
    ORDER = "order"
    PAYMENT = "payment"
    SAGA = "saga"
    NOTIFICATION = "notification"
    OPERATION = "operation"


MOMENT = "a version (v3), a position in its log (p1234) or a time (2026-01-31T12:00:00Z)"


def show_aggregate(
    *,
    kind: Annotated[Kind, typer.Argument(help="What it is.")],
    id: Annotated[UUID | None, typer.Argument(help="Which; the categories are one.")] = None,
    at: Annotated[str | None, typer.Option(help=f"As of {MOMENT}; otherwise as it is.")] = None,
    diff: Annotated[str | None, typer.Option(help=f"Show what had changed from there to {MOMENT}.")] = None,
    personal: Annotated[bool, typer.Option("--personal", help="Open personal fields too; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why somebody's personal fields are read. It is recorded.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")] = None,
    database_url: Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")] = None,
    json: Json = False,
) -> None:
    """Show an aggregate as its log has it, now or at any moment. Personal fields stay sealed unless asked for."""
    import asyncio

    from infra.cli import aggregates
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    if personal and not reason:
        raise typer.BadParameter("--personal needs --reason: it is recorded who was looked at and why")
    if id is None and kind is not Kind.CATEGORIES:
        raise typer.BadParameter(f"say which {kind}")
    wanted = aggregates.wanted(kind, id, at=at, diff=diff, why=reason if personal else None)
    raise typer.Exit(asyncio.run(aggregates.show_one(settings, wanted, as_json=json)))
