"""How users are looked up."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from psycopg import sql

from projections.generations import READS
from projections.listing import Listing
from projections.pool import Pool, connected
from projections.users.projector import sign_ins, users
from projections.users.row import SignInsRow

USERS: Final = Listing(users.table)

SIGN_INS: Final = sql.SQL("SELECT {} FROM {} t WHERE user_id = ANY(%s)").format(
    sign_ins.table.selected(), sql.Identifier(READS, sign_ins.table.name)
)


async def sign_ins_of(pool: Pool, user_ids: list[UUID]) -> list[SignInsRow | None]:
    """In the order of the ids; None where nothing is known of a user's credentials yet."""
    async with connected(pool) as connection:
        cursor = await connection.execute(SIGN_INS, [user_ids])
        found = {row.user_id: row for row in sign_ins.table.decoded(await cursor.fetchall())}
    return [found.get(id) for id in user_ids]
