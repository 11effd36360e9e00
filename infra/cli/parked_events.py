"""Shows a person what is parked, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json

from domain.errors import NotFound
from infra.cli.databases import opened
from infra.cli.show import show, show_line
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.event_log.reader import LogReader, Stored
from infra.keys import PersonalKeys
from infra.settings import Settings
from projections import parked
from projections.checkpoint import READ as CHECKPOINT
from projections.checkpoint import restored
from projections.parked import Group, Parked, Wanted
from projections.pool import Pool, connected

BEHIND: Final = 20
"""Events behind a parked one that are shown; all are counted."""


async def show_list(settings: Settings, wanted: Wanted, limit: int, *, as_json: bool) -> None:
    async with opened(settings) as databases, connected(databases.pool(READS)) as connection:
        found = await parked.listed(connection, wanted, limit=limit)
    if found or as_json:
        show(map(told if as_json else short, found), as_json=as_json)
    else:
        print("Nothing is parked.")


async def show_groups(settings: Settings, wanted: Wanted, limit: int, *, as_json: bool) -> None:
    async with opened(settings) as databases, connected(databases.pool(READS)) as connection:
        found = await parked.groups(connection, wanted)
    show(map(told_of_group if as_json else short_of_group, found[:limit]), as_json=as_json)


async def show_one(settings: Settings, id: UUID, *, as_json: bool) -> None:
    """Raises NotFound."""
    async with opened(settings, [context.name for context in CONTEXTS]) as databases:
        found = await one(databases.pool(READS), id)
        where = await standing(databases.pool(READS), found)
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        log = LogReader(databases.pool(found.context), found.context, keys)
        stored = await log.stream_raw(found.sequence, found.version - 1, None, BEHIND + 1)
    if as_json:
        show_line(told(found) | {"sequenceSeenUpTo": where, "events": [told_of_event(event) for event in stored]})
    else:
        print_one(found, where, stored)


async def one(pool: Pool, id: UUID) -> Parked:
    """Raises NotFound."""
    async with connected(pool) as connection:
        found = await parked.shown(connection, id)
    if found is None:
        raise NotFound("parked event", id)
    return found


async def standing(pool: Pool, found: Parked) -> int | None:
    """The position up to which the consumer has seen this sequence's slice: so far a retry goes."""
    async with connected(pool) as connection:
        row = await (await connection.execute(CHECKPOINT, [found.consumer, found.context])).fetchone()
    return restored(*row).of(found.slice) if row else None


def told(row: Parked) -> dict[str, Any]:
    """As JSON has it."""
    return {camel(name): plain(value) for name, value in asdict(row).items()}


def told_of_group(group: Group) -> dict[str, Any]:
    return {camel(name): plain(value) for name, value in asdict(group).items()}


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def told_of_event(event: Stored) -> dict[str, Any]:
    return {
        "position": event.position,
        "version": event.version,
        "type": event.topic,
        "eventId": str(event.event_id),
        "recordedAt": event.recorded_at.isoformat(),
        "actor": event.actor,
        "correlationId": event.correlation_id,
        "state": state_of(event),
    }


def state_of(event: Stored) -> Any:
    """As it is stored, personal fields sealed; what is no JSON as text that shows every byte."""
    try:
        return from_json(event.state)
    except ValueError:
        return event.state.decode("utf-8", "backslashreplace")


def short(row: Parked) -> dict[str, Any]:
    """The columns a person reads first."""
    return {
        "id": row.id,
        "consumer": row.consumer,
        "event": row.event_type,
        "of": f"{row.context} {row.sequence}",
        "version": row.version,
        "waiting": row.waiting,
        "attempts": row.attempts,
        "parked at": row.parked_at.isoformat()[:19],
        "reason": row.reason,
    }


def short_of_group(group: Group) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "parked": group.sequences,
        "waiting": group.waiting,
        "since": group.since.isoformat()[:19],
        "for example": group.reason,
    }


def print_one(row: Parked, where: int | None, stored: Sequence[Stored]) -> None:
    for name, value in described(row, where).items():
        print(f"{name:<12} {value}")
    for event in stored[:1]:
        print(f"{'state':<12} {json.dumps(state_of(event), ensure_ascii=False)}")
    behind = stored[1:]
    if behind:
        print("\nBehind it wait, in this order:")
        show(map(short_of_event, behind), as_json=False)
    if row.waiting > BEHIND:
        print(f"... and {row.waiting - BEHIND} more")


def described(row: Parked, where: int | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "consumer": row.consumer,
        "event": f"{row.event_type}, {row.event_id}",
        "of": f"{row.context} {row.sequence}, version {row.version}, position {row.position}, slice {row.slice}",
        "recorded at": row.recorded_at.isoformat(),
        "reason": row.reason,
        "fingerprint": row.fingerprint,
        "parked at": row.parked_at.isoformat(),
        "attempts": f"{row.attempts}, the last at {row.tried_at.isoformat()}",
        "waiting": f"{row.waiting} behind it; with all others the consumer has gone on to position {where or '?'}",
    }


def short_of_event(event: Stored) -> dict[str, Any]:
    return {
        "version": event.version,
        "position": event.position,
        "event": event.topic,
        "recorded at": event.recorded_at.isoformat()[:23],
        "actor": event.actor,
    }
