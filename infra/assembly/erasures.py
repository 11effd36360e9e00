"""Before a process opens anything: whom the list of erasures names is not in its databases, however old these are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from commands.loop import WriteLoop
from commands.users.handlers import HANDLERS
from domain import users
from infra.assembly.ground import Ground
from infra.databases import READS, Databases
from infra.duties import Duty
from infra.erasing_again import NotErasedYet, erase_again, missing, not_cleared, unlisted
from infra.erasure import Sweeper
from infra.erasure_list import ErasureList
from infra.event_log.log import EventLog
from infra.keys import PersonalKeys
from infra.mail.kept import MailDirectory
from infra.settings import Settings
from projections.models import MODELS

ERASING = frozenset({Duty.COMMANDS, Duty.PROJECTIONS, Duty.TODO})
"""Those that have all the databases it takes."""


async def erased_again(ground: Ground, duties: frozenset[Duty]) -> None:
    """Raises NotErasedYet, ListDamaged."""
    if ground.settings.erasure_list is None or duties == {Duty.RELAY}:
        return
    erasures = ErasureList(ground.settings.erasure_list)
    listed = await erasures.read()
    reads = ground.databases.pool(READS)
    if not duties & ERASING:
        if left := await not_cleared(reads, listed):
            raise NotErasedYet(len(left))
        return
    logs = ground.databases.pool(users.CONTEXT.name)
    new = await unlisted(logs, listed)
    if left_out := await missing(logs, reads, listed | new):
        async with users_loop_of(ground.databases, ground.keys) as loop:
            await erase_again(left_out, loop, ground.keys, sweeper(ground))
    await erasures.add(new)  # not before: who may only read starts as long as the listed are cleared


def sweeper(ground: Ground) -> Sweeper:
    return sweeper_of(ground.settings, ground.databases, [context.name for context in ground.contexts])


def sweeper_of(settings: Settings, databases: Databases, contexts: Sequence[str]) -> Sweeper:
    """Looks through every place that an erased user may have left something in."""
    topics = [f"{settings.topic_prefix}.{name}" for name in contexts] if settings.kafka_bootstrap else []
    mails = MailDirectory(settings.mail_directory) if settings.mail_directory else None
    return Sweeper(databases.pool(READS), {name: databases.pool(name) for name in contexts}, MODELS, topics, mails)


@asynccontextmanager
async def users_loop_of(databases: Databases, keys: PersonalKeys) -> AsyncIterator[WriteLoop]:
    name = users.CONTEXT.name
    log = EventLog(databases.conninfo(name), databases.pool(name), users.CONTEXT, keys)
    await log.open()
    loop = WriteLoop(users.CONTEXT, HANDLERS, log)
    try:
        yield loop
    finally:
        await loop.close()
        await log.close()
