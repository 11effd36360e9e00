"""Reads the logs for a person: each event with its place, its cause and its stored state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row
from pydantic_core import from_json
from typer import BadParameter

from infra.cli.show import show, show_line
from infra.contexts import CONTEXTS
from infra.settings import Settings, SettingsRefused

POLL: Final = 0.3  # seconds between looks when following
SELECT: Final = """
SELECT notification_id AS position, originator_id AS stream, originator_version AS version, topic AS type, recorded_at,
       actor, correlation_id, causation_id, event_id, state
FROM {table} WHERE {condition} ORDER BY {order} LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    stream: UUID | None
    correlation: str | None
    after: int | None
    limit: int

    @property
    def condition(self) -> str:
        conditions = {
            "originator_id = %(stream)s": self.stream,
            "correlation_id = %(correlation)s": self.correlation,
            "notification_id > %(after)s": self.after,
        }
        return " AND ".join(text for text, value in conditions.items() if value is not None) or "true"

    @property
    def forwards(self) -> bool:
        """From a place on, rather than the last ones."""
        return self.after is not None or self.stream is not None

    @property
    def parameters(self) -> dict[str, Any]:
        return {"stream": self.stream, "correlation": self.correlation, "after": self.after, "limit": self.limit}


async def run(settings: Settings, contexts: Iterable[str], wanted: Wanted, *, follow: bool, as_json: bool) -> None:
    names = chosen(contexts)
    found = [event async for event in listed(settings, names, wanted)]
    found.sort(key=lambda event: (event["recordedAt"], event["position"]))
    show(found if as_json else map(short, found), as_json=as_json)
    if follow:
        heads = {name: max((e["position"] for e in found if e["context"] == name), default=None) for name in names}
        async for event in following(settings, wanted, heads):
            show_line(event) if as_json else print(line(event), flush=True)


def chosen(contexts: Iterable[str]) -> list[str]:
    known = [context.name for context in CONTEXTS]
    if unknown := sorted(set(contexts) - set(known)):
        raise BadParameter(f"unknown context {', '.join(unknown)}; there are {', '.join(known)}")
    return list(contexts) or known


async def listed(settings: Settings, contexts: Iterable[str], wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
    for context in contexts:
        async with await connect(settings, context) as connection:
            for event in await read(connection, context, wanted):
                yield event


async def following(
    settings: Settings, wanted: Wanted, heads: Mapping[str, int | None]
) -> AsyncIterator[dict[str, Any]]:
    """What comes after `heads`; where nothing was listed, what comes after now."""
    connections = {context: await connect(settings, context) for context in heads}
    floors = {c: heads[c] if heads[c] is not None else await head(connections[c], c) for c in heads}
    while True:
        for context, connection in connections.items():
            for event in await read(connection, context, replace(wanted, after=floors[context], limit=1000)):
                floors[context] = event["position"]
                yield event
        await asyncio.sleep(POLL)


async def connect(settings: Settings, context: str) -> AsyncConnection[DictRow]:
    """Raises SettingsRefused, psycopg.OperationalError."""
    conninfo = settings.database_of(context)
    if conninfo is None:
        raise SettingsRefused(f"no database for {context}: set CHOBO_DATABASE_URL")
    return await AsyncConnection.connect(conninfo, autocommit=True, row_factory=dict_row)


async def head(connection: AsyncConnection[DictRow], context: str) -> int:
    query = sql.SQL("SELECT coalesce(max(notification_id), 0) AS head FROM {}").format(table(context))
    row = await (await connection.execute(query)).fetchone()
    return int(row["head"]) if row else 0


async def read(connection: AsyncConnection[DictRow], context: str, wanted: Wanted) -> list[dict[str, Any]]:
    query = sql.SQL(SELECT).format(
        table=table(context),
        condition=sql.SQL(wanted.condition),  # made of the constants above
        order=sql.SQL("notification_id" if wanted.forwards else "notification_id DESC"),
    )
    rows = await (await connection.execute(query, wanted.parameters)).fetchall()
    return [event_of(context, row) for row in (rows if wanted.forwards else reversed(rows))]


def table(context: str) -> sql.Identifier:
    return sql.Identifier(context, "stored_events")


def event_of(context: str, row: DictRow) -> dict[str, Any]:
    return {
        "context": context,
        "position": row["position"],
        "type": row["type"],
        "stream": str(row["stream"]),
        "version": row["version"],
        "recordedAt": row["recorded_at"].isoformat(),
        "actor": row["actor"],
        "correlationId": row["correlation_id"],
        "causationId": row["causation_id"],
        "eventId": str(row["event_id"]),
        "state": from_json(row["state"]),
    }


def short(event: Mapping[str, Any]) -> dict[str, Any]:
    """The columns a person reads first."""
    return {
        "recorded at": event["recordedAt"][:23],
        "type": event["type"],
        "position": event["position"],
        "stream": event["stream"],
        "version": event["version"],
        "actor": event["actor"] or "",
        "correlation": event["correlationId"] or "",
    }


def line(event: Mapping[str, Any]) -> str:
    return "  ".join(str(value) for value in short(event).values())
