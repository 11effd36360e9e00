"""Works through lists of erasures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from domain import users
from domain.operations.kinds import OperationKind
from infra.assembly.erasures import sweeper_of, users_loop_of
from infra.cli.databases import opened
from infra.cli.operating import operating
from infra.cli.show import show
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.erasing_again import erase_again, missing, unlisted
from infra.erasure_list import ErasureList
from infra.keys import PersonalKeys
from infra.settings import Settings

NAMES: Final = [context.name for context in CONTEXTS]


async def show_list(settings: Settings, *, as_json: bool) -> None:
    async with opened(settings, [users.CONTEXT.name]) as databases:
        erased = await unlisted(databases.pool(users.CONTEXT.name), [])
    rows = sorted(erased.items(), key=lambda entry: entry[1])
    show(({"user": str(user), "at": at.isoformat()} for user, at in rows), as_json=as_json)


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
