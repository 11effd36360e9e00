"""Taking what is personal about a user out of the rows of a generation, while its consumers stand still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from projections.generations import STANDING, Generation, shape_of, tables_of
from projections.model import Model
from projections.personal import Personal
from projections.pool import Connection

CHUNK: Final = 500  # rows

# Whoever writes rows of a generation locks one of these first.
STAND_STILL: Final = "SELECT FROM projections.checkpoints WHERE consumer = %s ORDER BY context FOR UPDATE"
STANDS: Final = """
SELECT FROM projections.generations WHERE (model, generation) = (%s, %s) AND status = ANY(%s) FOR SHARE
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """Of one table: how many rows are about the user, and from how many something was taken out."""

    table: str
    rows: int
    cleared: int


async def sweep(connection: Connection, model: Model, generation: Generation, user_id: UUID) -> list[Swept]:
    """In a transaction of the caller's. Nothing when the generation has gone meanwhile."""
    same_shape = generation.shape == shape_of(model)
    if same_shape and not model.personal:
        return []
    values = [generation.model, generation.generation, list(STANDING)]
    if (await connection.execute(STANDS, values)).rowcount == 0:
        return []
    await connection.execute(STAND_STILL, [generation.name])
    if not same_shape:
        return await _without_rows(connection, generation, user_id)
    return [await _cleared(connection, generation, personal, user_id) for personal in model.personal]


async def _cleared(connection: Connection, generation: Generation, personal: Personal[Any], user_id: UUID) -> Swept:
    table, rows, cleared = personal.table, 0, 0
    select = sql.SQL("SELECT {} FROM {} t WHERE t.{} = %s AND t.id > %s ORDER BY t.id LIMIT %s").format(
        table.selected(), sql.Identifier(generation.schema, table.name), sql.Identifier(personal.owner)
    )
    last = UUID(int=0)
    while found := table.decoded(await (await connection.execute(select, [user_id, last, CHUNK])).fetchall()):
        changed = [row for row in map(personal.cleared, found) if row not in found]
        await table.replace(connection, generation.schema, changed)
        rows, cleared, last = rows + len(found), cleared + len(changed), found[-1].id
    return Swept(table.name, rows, cleared)


async def _without_rows(connection: Connection, generation: Generation, user_id: UUID) -> list[Swept]:
    """This release knows neither the tables of another shape nor how to fold into them: whatever row names the user
    goes as a whole."""
    swept = []
    for table in await tables_of(connection, generation.schema):
        delete = sql.SQL("DELETE FROM {} t WHERE strpos(t::text, %s) > 0").format(
            sql.Identifier(generation.schema, table)
        )
        gone = (await connection.execute(delete, [str(user_id)])).rowcount
        swept.append(Swept(table, gone, gone))
    return swept
