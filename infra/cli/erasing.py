"""Works through lists of erasures."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import UUID

from domain import users
from domain.operations.kinds import OperationKind
from domain.users.events import ErasureCompleted, UserErased
from infra.assembly.erasures import sweeper_of, users_loop_of
from infra.cli.databases import opened
from infra.cli.operating import operating
from infra.cli.show import show, show_line
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.erasing_again import erase_again, missing, unlisted
from infra.erasure_list import ErasureList
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys
from infra.settings import Settings

NAMES: Final = [context.name for context in CONTEXTS]


class NoReceipt(Exception):
    def __init__(self, user: UUID, *, begun: bool) -> None:
        still = f"what is known of {user} is still being cleared away: `chobo todo show {user}`"
        super().__init__(still if begun else f"{user} was not erased")


async def show_list(settings: Settings, *, as_json: bool) -> None:
    async with opened(settings, [users.CONTEXT.name]) as databases:
        erased = await unlisted(databases.pool(users.CONTEXT.name), [])
    rows = sorted(erased.items(), key=lambda entry: entry[1])
    show(({"user": str(user), "at": at.isoformat()} for user, at in rows), as_json=as_json)


async def show_receipt(settings: Settings, user: UUID, *, as_json: bool) -> None:
    """Raises NoReceipt."""
    name = users.CONTEXT.name
    async with opened(settings, [name]) as databases:
        keys = PersonalKeys(databases.pool(name), settings.master_key_bytes())
        events = [each.event for each in await LogReader(databases.pool(name), name, keys).stream(user)]
    receipt = next((event for event in events if isinstance(event, ErasureCompleted)), None)
    if receipt is None:
        raise NoReceipt(user, begun=any(isinstance(event, UserErased) for event in events))
    if as_json:
        show_line(receipt.model_dump(mode="json"))
        return
    print(f"The key was destroyed at {receipt.key_destroyed_at}; everything was cleared by {receipt.timestamp}.")
    show((place.model_dump(mode="json") for place in receipt.places), as_json=False)


async def apply(settings: Settings, file: Path, reason: str) -> None:
    """Raises ListDamaged."""
    erasures = await ErasureList(file).read()
    async with (
        operating(settings) as operations,
        opened(settings, NAMES) as databases,
        operations.carried_out(OperationKind.ERASURES_APPLY, file.name, {}, reason) as result,
    ):
        left = await missing(databases.pool(users.CONTEXT.name), databases.pool(READS), erasures)
        keys = PersonalKeys(databases.pool(users.CONTEXT.name), settings.master_key_bytes())
        async with users_loop_of(databases, keys) as loop:
            await erase_again(left, loop, keys, sweeper_of(settings, databases, NAMES))
        if settings.erasure_list is not None:
            await ErasureList(settings.erasure_list).add(erasures)
        result |= {"listed": len(erasures), "erased": len(left)}
    print(f"{len(erasures)} are listed; {len(left)} were not erased here, and are now.")
