"""What `chobo move-context` does, and what is left to be done by a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import AsyncConnection
from pydantic import SecretStr

from domain import operations, users
from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from infra.cli.event_list import chosen
from infra.cli.log_tools import conninfo, progress, recorded
from infra.cli.show import show_line
from infra.event_log.migrations import migrate
from infra.keys import migrate_keys
from infra.settings import Settings, variable
from infra.transfer.move import Move, Moved
from infra.transfer.outgoing import Progress


async def move(settings: Settings, context: str, to: str, reason: str, *, as_json: bool) -> None:
    chosen([context])
    for place in (conninfo(settings, context), to):
        await prepare(place, context)
    if context == operations.CONTEXT.name:  # what is recorded at the end must find a log that takes it
        done = moved(settings, context, to, as_json=as_json)
        settings = settings.model_copy(update={setting_of(context): SecretStr(to)})
        async with recorded(settings, OperationKind.CONTEXT_MOVE, context, {}, reason) as result:
            result.update(facts(done))
    else:
        async with recorded(settings, OperationKind.CONTEXT_MOVE, context, {}, reason) as result:
            done = moved(settings, context, to, as_json=as_json)
            result.update(facts(done))
    tell(context, done, as_json=as_json)


async def give_up(settings: Settings, context: str, to: str, reason: str, *, as_json: bool) -> None:
    chosen([context])
    with between(conninfo(settings, context), to, context, nobody) as one:
        one.abort()
    async with recorded(settings, OperationKind.CONTEXT_MOVE, context, {"abort": True}, reason):
        pass
    if as_json:
        show_line({"context": context, "aborted": True})
    else:
        print(f"{context} is written where it was. The copy in the other database takes no writes; it may be dropped.")


def moved(settings: Settings, context: str, to: str, *, as_json: bool) -> Moved:
    with (
        progress("Copying", as_json=as_json) as told,
        between(conninfo(settings, context), to, context, told) as one,
    ):
        return one.run()


@contextmanager
def between(source: str, target: str, context: str, told: Progress) -> Iterator[Move]:
    with psycopg.connect(source, autocommit=True) as here, psycopg.connect(target, autocommit=True) as there:
        yield Move(here, there, context, told)


async def prepare(place: str, context: str) -> None:
    await migrate(place, [context])
    if context == users.CONTEXT.name:
        async with await AsyncConnection.connect(place, autocommit=True) as connection:
            await migrate_keys(connection)


def setting_of(context: str) -> str:
    return f"{context}_database_url"


def facts(done: Moved) -> Facts:
    return {"events": done.footer.events, "replies": done.footer.replies, "digest": done.footer.digest}


def tell(context: str, done: Moved, *, as_json: bool) -> None:
    setting = variable(setting_of(context))
    if as_json:
        show_line({"context": context, **facts(done), "stoppedSeconds": round(done.stopped, 3), "setting": setting})
        return
    print(f"{done.footer.events} events and {done.footer.replies} replies were moved and verified.")
    print(f"Writers stopped for {done.stopped:.1f} s; the old log refuses writes.")
    print(f"Now set {setting} to the address given with --to, and restart every process.")
    print(f"When all of them run with it: drop the schema {context} of the old database.")


def nobody(done: int, all: int) -> None:
    pass
