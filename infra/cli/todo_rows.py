"""Shows a person what is to be done, and takes rows in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

import typer

from domain.errors import NotFound
from domain.operations.kinds import OperationKind
from infra.cli.databases import opened
from infra.cli.operating import operating
from infra.cli.show import show, show_line
from infra.databases import READS
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys
from infra.rules import RULES
from infra.settings import Settings
from projections import asking, todos
from projections.pool import Connection, connected
from projections.todos import Status, Todo, Wanted
from sagas.orchestrator import CONSUMER as SAGAS
from sagas.orchestrator import contexts as listened_to
from sagas.processes import PROCESSES


def wanted(kind: str | None, status: str | None, *, failing: bool) -> Wanted:
    try:
        return Wanted(kind, Status(status) if status else None, failing)
    except ValueError:
        raise typer.BadParameter(f"--status {status}: it is one of {', '.join(Status)}") from None


def position(context: str, after: str) -> int | None:
    """None for the head."""
    if context not in RULES:
        raise typer.BadParameter(f"no event of {context} asks for work; those of {', '.join(RULES)} do")
    if after == "head":
        return None
    if not after.isdecimal():
        raise typer.BadParameter(f"--from {after}: a position, 0 for the first event on, or `head`")
    return int(after)


async def show_list(settings: Settings, wanted: Wanted, limit: int, *, as_json: bool) -> None:
    async with opened(settings) as databases, connected(databases.pool(READS)) as connection:
        found = await todos.listed(connection, wanted, limit)
    show(map(asdict if as_json else short, found), as_json=as_json)


async def show_one(settings: Settings, id: UUID, *, as_json: bool) -> None:
    """Raises NotFound."""
    async with opened(settings) as databases, connected(databases.pool(READS)) as connection:
        found = await todos.shown(connection, id)
    if found is None:
        raise NotFound("to-do", id)
    if as_json:
        show_line(asdict(found))
        return
    for name, value in asdict(found).items():
        print(f"{name:<16} {'' if value is None else value}")


async def retry(settings: Settings, id: UUID, reason: str) -> None:
    async with taken_in_hand(settings, OperationKind.TODO_RETRY, str(id), reason) as connection:
        await todos.retry_now(connection, id)
    print(f"To-do {id} is due now.")


async def pause(settings: Settings, id: UUID, reason: str) -> None:
    async with taken_in_hand(settings, OperationKind.TODO_PAUSE, str(id), reason) as connection:
        await todos.pause(connection, id)
    print(f"To-do {id} is paused until `chobo todo retry {id}`.")


async def begin(settings: Settings, context: str, position: int | None, reason: str) -> None:
    async with opened(settings, [context]) as databases:
        keys = PersonalKeys(databases.pool(context), settings.master_key_bytes())
        incarnation, head = await LogReader(databases.pool(context), context, keys).head()
    if position is not None and position > head:
        raise typer.BadParameter(f"the log of {context} ends at {head}")
    after = head if position is None else position
    async with taken_in_hand(settings, OperationKind.TODO_BEGIN, context, reason) as connection:
        await asking.begin_again(connection, context, incarnation, after)
        if context in listened_to(PROCESSES):
            await asking.begin_again(connection, context, incarnation, after, SAGAS)
    print(f"Events of {context} after {after} are taken note of.")


@asynccontextmanager
async def taken_in_hand(settings: Settings, kind: OperationKind, target: str, reason: str) -> AsyncIterator[Connection]:
    """A transaction on the read database, and a record of what was done in it."""
    async with (
        operating(settings) as operations,
        opened(settings) as databases,
        operations.carried_out(kind, target, {}, reason),
        connected(databases.pool(READS)) as connection,
    ):
        yield connection


def short(row: Todo) -> dict[str, Any]:
    """The columns a person reads first."""
    return {
        "id": row.id,
        "kind": row.kind,
        "of": f"{row.context} {row.subject}",
        "status": row.status,
        "due": row.due_at.isoformat()[:19],
        "attempts": row.attempt,
        "worker": row.worker or "",
        "last error": row.last_error or "",
    }
