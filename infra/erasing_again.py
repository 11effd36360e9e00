"""What a restored backup does not know: users who were erased after it was made are erased again before it serves.

`ErasureList` has them all. Missing are those whose key is there, and those of whom the read database was not cleared:
the two databases may be copies of different ages. What is done here suffices to serve, since every process does it
before it opens anything; the event that is recorded makes the to-do do all of it once more, with a receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from commands.reply import Envelope
from commands.services import Loop
from commands.users.messages import EraseUser
from domain.actor import service
from domain.errors import NotFound
from domain.users import CONTEXT
from infra.erasure import Keys, Pool, Sweeper
from infra.event_log.reader import HEAD
from projections.asking import begin
from projections.pool import connected

BY: Final = service("erasures")

WITH_A_KEY: Final = "SELECT user_id FROM users.keys WHERE user_id = ANY(%s) AND wrapped IS NOT NULL"
NOT_CLEARED: Final = """
SELECT id FROM unnest(%s::uuid[]) AS listed (id) WHERE NOT EXISTS (SELECT FROM projections.erased WHERE user_id = id)
"""

UNLISTED: Final = "SELECT user_id, destroyed_at FROM users.keys WHERE wrapped IS NULL AND NOT user_id = ANY(%s)"

log = logging.getLogger(__name__)


class NotErasedYet(Exception):
    """This process may not show anything before others have done what it cannot do itself."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"{number} users were erased after this copy of the read database was made: start a process that may erase"
            " them first (`chobo work todo`), or run `chobo erasures apply`"
        )


async def not_cleared(reads: Pool, listed: Collection[UUID]) -> set[UUID]:
    """Those of whom the read database does not say that it is clear."""
    return await _ids(reads, NOT_CLEARED, listed)


async def unlisted(users: Pool, listed: Collection[UUID]) -> dict[UUID, datetime]:
    """Who was erased when and is not on the list: as long as there was none."""
    async with connected(users) as connection:
        return dict(await (await connection.execute(UNLISTED, [list(listed)])).fetchall())


async def missing(users: Pool, reads: Pool, listed: Collection[UUID]) -> list[UUID]:
    """Those who are to be erased again."""
    return sorted(await _ids(users, WITH_A_KEY, listed) | await not_cleared(reads, listed))


async def erase_again(missing: Sequence[UUID], users: Loop, keys: Keys, sweeper: Sweeper) -> None:
    """May be broken off and begun again, by many processes at once."""
    if missing:
        await _taken_note_of(sweeper)
    for user_id in missing:
        await keys.destroy(user_id)
        await sweeper.sweep(user_id)
        reply = await users.submit(Envelope(EraseUser().bind(by=BY, target=user_id), str(user_id)))
        if reply.refusal is not None and not isinstance(reply.refusal, NotFound):  # the copy may be older than the user
            raise reply.refusal
        await sweeper.swept(user_id)
    if missing:
        log.warning("%d erasures were not known to these databases, or not begun: they are now", len(missing))


async def _taken_note_of(sweeper: Sweeper) -> None:
    """Where no to-do worker has run yet, the first one shall find what is recorded now."""
    name = CONTEXT.name
    async with connected(sweeper.logs[name]) as connection:
        head = await (await connection.execute(HEAD.format(schema=name).encode())).fetchone()
    assert head is not None
    async with connected(sweeper.reads) as connection:
        await begin(connection, name, *head)


async def _ids(pool: Pool, query: str, listed: Iterable[UUID]) -> set[UUID]:
    async with connected(pool) as connection:
        return {id for (id,) in await (await connection.execute(query.encode(), [list(listed)])).fetchall()}
