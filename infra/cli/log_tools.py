"""What `chobo log` does, with its progress on the terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain import operations
from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from infra.cli.event_list import chosen
from infra.cli.operating import operating
from infra.cli.show import show, show_line
from infra.databases import READS
from infra.event_log.migrations import migrate
from infra.keys import migrate_keys
from infra.settings import Settings, SettingsRefused
from infra.transfer import incarnation, incoming, outgoing
from infra.transfer.keys import export_keys, import_keys
from infra.transfer.lines import Footer, Header
from infra.transfer.outgoing import Progress as Told
from projections import schema
from projections.models import MODELS

USERS = "users"


def show_info(settings: Settings, contexts: Iterable[str], *, as_json: bool) -> None:
    infos = (incarnation.info(conninfo(settings, context), context) for context in chosen(contexts))
    show((words(asdict(info)) for info in infos), as_json=as_json)


async def export_log(
    settings: Settings, context: str, file: Path, keys: Path | None, reason: str, *, as_json: bool
) -> None:
    chosen([context])
    with progress("Exporting", as_json=as_json) as told:
        header, footer = outgoing.export(conninfo(settings, context), context, file, told)
    count = None
    if keys is not None:
        async with recorded(settings, OperationKind.LOG_EXPORT_KEYS, USERS, {"file": keys.name}, reason) as result:
            result["keys"] = count = export_keys(conninfo(settings, USERS), keys)
    report(header, footer, count, as_json=as_json)


def context_of(file: Path) -> str:
    """Raises NotWhole, BadParameter."""
    return chosen([incoming.context_of(file)])[0]


async def import_log(
    settings: Settings, context: str, file: Path, keys: Path | None, reason: str, *, as_json: bool
) -> None:
    """The log of operations must be empty itself to be imported: then what was done is recorded behind it."""
    await prepare(settings, context)
    facts: Facts = {"file": file.name}
    if context == operations.CONTEXT.name:
        done = taken_in(settings, context, file, keys, as_json=as_json)
        async with recorded(settings, OperationKind.LOG_IMPORT, context, facts, reason) as result:
            result.update(done)
        return
    async with recorded(settings, OperationKind.LOG_IMPORT, context, facts, reason) as result:
        result.update(taken_in(settings, context, file, keys, as_json=as_json))


def taken_in(settings: Settings, context: str, file: Path, keys: Path | None, *, as_json: bool) -> Facts:
    """Keys first: a log whose personal fields nobody can read would pass for a damaged one."""
    count = None
    if keys is not None:
        count = import_keys(conninfo(settings, USERS), keys, settings.master_key_bytes())
    with progress("Importing", as_json=as_json) as told:
        header, footer = incoming.take_in(conninfo(settings, context), file, told, expected=context)
    report(header, footer, count, as_json=as_json)
    return {"incarnation": str(header.incarnation), "events": footer.events, "digest": footer.digest, "keys": count}


async def begin_incarnation(settings: Settings, context: str, reason: str, *, as_json: bool) -> None:
    chosen([context])
    async with recorded(settings, OperationKind.LOG_NEW_INCARNATION, context, {}, reason) as result:
        begun = incarnation.new_incarnation(conninfo(settings, context), context, reason)
        result["incarnation"] = str(begun)
    if as_json:
        show_line({"context": context, "incarnation": str(begun)})
    else:
        print(f"{context} is in incarnation {begun}. Restart its processes and build its read models anew.")


@asynccontextmanager
async def recorded(
    settings: Settings, kind: OperationKind, target: str, facts: Facts, reason: str
) -> AsyncIterator[Facts]:
    """In the log of operations, with what is put into the yielded dictionary as its result."""
    async with operating(settings) as desk, desk.carried_out(kind, target, facts, reason) as result:
        yield result


async def prepare(settings: Settings, context: str) -> None:
    """The schema a log is imported into may not be there yet."""
    for name in (context, operations.CONTEXT.name):
        await migrate(conninfo(settings, name), [name])
    await schema.prepare(conninfo(settings, READS), MODELS)
    async with await AsyncConnection.connect(conninfo(settings, USERS), autocommit=True) as connection:
        await migrate_keys(connection)


def conninfo(settings: Settings, context: str) -> str:
    if (found := settings.database_of(context)) is None:
        raise SettingsRefused(f"no database for {context}: set CHOBO_DATABASE_URL")
    return found


def words(row: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_at", "At"): value for name, value in row.items()}


def report(header: Header, footer: Footer, keys: int | None, *, as_json: bool) -> None:
    done = {
        "context": header.context,
        "incarnation": str(header.incarnation),
        "head": header.head,
        "events": footer.events,
        "replies": footer.replies,
        "digest": footer.digest,
        "keys": keys,
    }
    if as_json:
        show_line(done)
    else:
        print(", ".join(f"{name} {value}" for name, value in done.items() if value is not None))


@contextmanager
def progress(doing: str, *, as_json: bool) -> Iterator[Told]:
    columns = TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=as_json, transient=True) as shown:
        task = shown.add_task(doing, total=None)
        yield lambda done, all: shown.update(task, completed=done, total=all)
