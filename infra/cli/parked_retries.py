"""Tries what is parked again, or passes over an event, and shows what came of each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from typer import BadParameter

from domain.errors import NotFound
from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from infra.cli.consent import agreed
from infra.cli.databases import opened
from infra.cli.operating import OperationRefused, Operations, operating
from infra.cli.parked_events import one
from infra.cli.show import show_line
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys
from infra.operations import NothingToDo, Refused
from infra.parked import Park
from infra.rules import RULES
from infra.settings import Settings
from projections import parked
from projections.models import MODELS
from projections.parked import Wanted
from projections.pool import connected
from sagas.orchestrator import SagaSink
from sagas.processes import PROCESSES

WELL, REFUSED = 0, 1  # exit codes
MOST: Final = 10_000  # of one cause at a time
AT_ONCE: Final = 8  # requests whose outcome is waited for


@dataclass(frozen=True, slots=True)
class Chosen:
    """Those with these ids, or all that have this fingerprint."""

    ids: Sequence[UUID]
    consumer: str | None
    fingerprint: str | None

    def __post_init__(self) -> None:
        if bool(self.ids) == (self.fingerprint is not None):
            raise BadParameter("give the ids of what is parked, or --fingerprint")
        if self.ids and self.consumer is not None:
            raise BadParameter("--consumer goes with --fingerprint")

    def __str__(self) -> str:
        if self.fingerprint is None:
            return ", ".join(map(str, self.ids))
        of = f" of {self.consumer}" if self.consumer else ""
        return f"all with the fingerprint {self.fingerprint!r}{of}"


async def dry_run(settings: Settings, chosen: Chosen, *, as_json: bool) -> int:
    """The exit code."""
    told = Told(as_json=as_json)
    ids = await chosen_ids(settings, chosen)
    async with parks(settings) as park:
        for id in ids:
            try:
                tried = await park.dry_run(id)
            except (NothingToDo, Refused) as refusal:
                told.refused(id, str(refusal))
                continue
            if tried.left is not None and tried.whole:
                told.refused(id, f"version {tried.left.version} ({tried.left.event_type}): {tried.left.reason}")
            else:
                told.well(id, {"applied": tried.applied, "whole": tried.whole})
    return told.code


async def retry(settings: Settings, chosen: Chosen, reason: str, *, as_json: bool) -> int:
    """The exit code. Of a whole cause one goes first; when it fails again, the others are left alone."""
    told = Told(as_json=as_json)
    ids = await chosen_ids(settings, chosen)
    async with operating(settings) as operations:
        canary, others = (ids[:1], ids[1:]) if chosen.fingerprint is not None else ([], ids)
        for id in canary:
            await retry_one(operations, id, reason, told)
        if told.code is REFUSED and others:
            told.say(f"{len(others)} more with this cause were not tried: mend it first")
            return told.code
        for some in batched(others, AT_ONCE):
            await asyncio.gather(*(retry_one(operations, id, reason, told) for id in some))
    return told.code


async def retry_one(operations: Operations, id: UUID, reason: str, told: Told) -> None:
    try:
        result = await operations.request(OperationKind.PARKED_RETRY, str(id), {}, reason)
    except OperationRefused as refusal:
        told.refused(id, str(refusal))
    else:
        told.well(id, result)


async def discard(settings: Settings, id: UUID, reason: str, *, yes: bool, as_json: bool) -> int:
    """The exit code. Raises NotFound."""
    told = Told(as_json=as_json)
    async with opened(settings) as databases:
        found = await one(databases.pool(READS), id)
    agreed(f"Pass over {found.event_type} {found.event_id}? {found.consumer} will never apply it.", yes=yes)
    event: Facts = {"event": str(found.event_id)}
    async with operating(settings) as operations:
        try:
            told.well(id, await operations.request(OperationKind.PARKED_DISCARD, str(id), event, reason))
        except OperationRefused as refusal:
            told.refused(id, str(refusal))
    return told.code


class Told:
    """Says what came of each as it comes, and keeps the exit code."""

    def __init__(self, *, as_json: bool) -> None:
        self.code = WELL
        self._as_json = as_json

    def well(self, id: UUID, result: Facts) -> None:
        if self._as_json:
            show_line({"id": str(id), "outcome": "DONE", **result})
        else:
            facts = ", ".join(f"{name} {value}" for name, value in result.items() if value is not None)
            print(f"{id}  done     {facts}", flush=True)

    def refused(self, id: UUID, why: str) -> None:
        self.code = REFUSED
        if self._as_json:
            show_line({"id": str(id), "outcome": "REFUSED", "why": why})
        else:
            print(f"{id}  refused  {why}", flush=True)

    def say(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)


async def chosen_ids(settings: Settings, chosen: Chosen) -> list[UUID]:
    """Raises NotFound when nothing has the fingerprint."""
    if chosen.fingerprint is None:
        return list(chosen.ids)
    wanted = Wanted(consumer=chosen.consumer, fingerprint=chosen.fingerprint)
    async with opened(settings) as databases, connected(databases.pool(READS)) as connection:
        found = await parked.listed(connection, wanted, limit=MOST)
    if not found:
        raise NotFound("parked event with the fingerprint", chosen.fingerprint)
    return [each.id for each in found]


@asynccontextmanager
async def parks(settings: Settings) -> AsyncIterator[Park]:
    """By the code of this installation, on its databases."""
    names = [context.name for context in CONTEXTS]
    async with opened(settings, names) as databases:
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        logs = {name: LogReader(databases.pool(name), name, keys) for name in names}
        yield Park(databases.pool(READS), MODELS, RULES, logs, [SagaSink(PROCESSES, None)])


def batched(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
