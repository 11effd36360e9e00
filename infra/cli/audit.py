"""`chobo audit`: who did what and why, what came of it, and who was denied what."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.show import Json


def audit(
    *,
    id: Annotated[UUID | None, typer.Argument(help="One operation, with everything about it.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only of user:<id> or service:<name>.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind: parked.retry, replay.start, ...")] = None,
    status: Annotated[str | None, typer.Option(help="Only REQUESTED, DONE, FAILED, NO_EFFECT or DENIED.")] = None,
    target: Annotated[str | None, typer.Option(help="Only on this id, read model or context.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only from this time on (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the latest.")] = 50,
    data: Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")] = None,
    database_url: Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")] = None,
    json: Json = False,
) -> None:
    """List what operators did, the latest first, or show one operation."""
    import asyncio

    from infra.cli import audit_log
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    if id is not None:
        asyncio.run(audit_log.show_one(settings, id, as_json=json))
        return
    wanted = audit_log.wanted(actor=actor, kind=kind, status=status, target=target, since=since)
    asyncio.run(audit_log.show_list(settings, wanted, limit, as_json=json))
