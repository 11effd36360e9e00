"""One saga in hand: its story, its explanation, what an action would cause, and the action itself.

Read from the log, not from the read model: what is decided upon must be how it stands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import typer

from commands.loop import WriteLoop
from commands.reply import Envelope
from commands.sagas.handlers import ACTIONS, handlers
from domain import sagas as sagas_context
from domain.actor import service
from domain.ids import new_id
from domain.sagas.events import ActionKind
from domain.sagas.saga import Saga
from infra.cli.databases import opened
from infra.cli.show import show, show_line
from infra.event_log.log import EventLog
from infra.event_log.reader import LogReader
from infra.event_log.wakeups import Wakeups
from infra.keys import PersonalKeys
from infra.settings import Settings
from sagas.advice import advised
from sagas.engine import Engine
from sagas.explain import explained
from sagas.processes import PROCESSES
from sagas.story import Story, line, of, read
from sagas.what_if import what_if as asked

BY: Final = service("cli")
NAME: Final = sagas_context.CONTEXT.name


def action(text: str) -> ActionKind:
    try:
        return ActionKind(text.upper())
    except ValueError:
        names = ", ".join(kind.lower() for kind in ActionKind)
        raise typer.BadParameter(f"{text}: it is one of {names}") from None


async def show_one(settings: Settings, id: UUID, *, as_json: bool) -> None:
    async with told(settings, id) as story:
        lines = [line(recorded) for recorded in story.recorded]
        if as_json:
            show_line({"saga": plain(story.saga), "balance": of(story.balance), "events": lines})
            return
        print(explained(story.saga, story.definition, datetime.now(UTC)).sentence, end="\n\n")
        show(lines, as_json=False)
        print("\nbalance: " + ", ".join(f"{name} {value}" for name, value in of(story.balance).items()))


async def explain(settings: Settings, id: UUID, *, as_json: bool) -> None:
    async with told(settings, id) as story:
        said = explained(story.saga, story.definition, datetime.now(UTC))
        advice = advised(story.saga, story.balance)
    if as_json:
        told_by = {"facts": advice.facts, "todo": advice.todo, "action": advice.action} if advice else None
        more = {"version": story.saga.version, "balance": of(story.balance), "advice": told_by}
        show_line(asdict(said) | more)
        return
    print(said.sentence, end="\n\n")
    if advice:
        print(advice.sentence, end="\n\n")
    show((asdict(step) for step in said.steps), as_json=False)


async def what_if(settings: Settings, id: UUID, kind: ActionKind, *, as_json: bool) -> None:
    """Raises ActionNotPossible."""
    async with told(settings, id) as story:
        would = asked(Engine(PROCESSES), story.saga, kind, datetime.now(UTC))
    commands = [{"step": each.step, "path": each.path, "body": each.body} for each in would.commands]
    if as_json:
        show_line({"status": would.status, "outcome": would.outcome, "commands": commands, "then": would.then})
        return
    print(f"It would be {would.status}{f', as {would.outcome}' if would.outcome else ''}.")
    if would.waits_first:
        print("Nothing is sent before the answers that are still to come are known.")
    for command in commands:
        print(f"  POST {command['path']} ({command['step']})")
    if would.then:
        print(f"Then, if all goes well: {', '.join(would.then)}.")


async def act(settings: Settings, id: UUID, kind: ActionKind, reason: str, version: int | None) -> None:
    """Raises ActionNotPossible, StaleVersion, NotFound."""
    async with at_the_desk(settings) as (loop, reader):
        story = await read(reader, id)
        message = next(each for each in ACTIONS if kind is each.ACTION)
        command = message(action_id=new_id(), reason=reason).bind(by=BY, target=story.saga.id)
        expected = story.saga.version if version is None else version
        reply = await loop.submit(Envelope(command, str(command.action_id), expected_version=expected))
        answer = reply.result()
    print(f"Saga {answer.id} is {answer.status} at version {answer.version}.")


@asynccontextmanager
async def told(settings: Settings, id: UUID) -> AsyncIterator[Story]:
    async with opened(settings, [NAME], reads=False) as databases:
        keys = PersonalKeys(databases.pool(NAME), settings.master_key_bytes())
        yield await read(LogReader(databases.pool(NAME), NAME, keys), id)


@asynccontextmanager
async def at_the_desk(settings: Settings) -> AsyncIterator[tuple[WriteLoop, LogReader]]:
    """Needs the databases only: what an action causes is done by the workers there are."""
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(opened(settings, [NAME], reads=False))
        pool = databases.pool(NAME)
        keys = PersonalKeys(pool, settings.master_key_bytes())  # of nobody: what services say is not sealed
        log = EventLog(databases.conninfo(NAME), pool, sagas_context.CONTEXT, keys)
        await log.open()
        stack.push_async_callback(log.close)
        wakeups = Wakeups(databases.conninfo(NAME), pool, [NAME])
        stack.push_async_callback(wakeups.close)
        log.on_written(partial(wakeups.written, NAME))
        loop = WriteLoop(sagas_context.CONTEXT, handlers(Engine(PROCESSES)), log)
        stack.push_async_callback(loop.close)
        yield loop, LogReader(pool, NAME, keys)


def plain(saga: Saga) -> dict[str, Any]:
    """Without what only the rules need."""
    return {
        "id": saga.id,
        "version": saga.version,
        "process": saga.process,
        "definition": saga.definition,
        "key": saga.key,
        "status": saga.status,
        "course": saga.course,
        "step": saga.step,
        "paused": saga.paused,
        "outcome": saga.outcome,
        "started_at": saga.started_at,
        "ended_at": saga.ended_at,
    }
