"""How far the read models are, for those who operate them."""

from __future__ import annotations

from typing import Final

import strawberry

from projections.pool import Pool, connected
from read_api.access import Staff, root
from read_api.context import Asked
from read_api.scalars import Long

READ_MODELS: Final = """
SELECT g.model, g.generation, g.status, c.context, c.floor, c.head, c.status, c.reason,
    CASE WHEN c.floor < c.head THEN extract(epoch FROM clock_timestamp() - c.recorded_at) ELSE 0 END
FROM projections.generations g
JOIN projections.checkpoints c ON c.consumer = g.model || '@' || g.generation
ORDER BY g.model, g.generation, c.context
"""


@strawberry.type(description="How far behind its log a read model is, as its worker last saw it.")
class Lag:
    events: Long
    seconds: float | None = strawberry.field(description="Age of the last applied event; null if there is none.")


@strawberry.type(description="A generation of a read model, fed from one context.")
class ReadModel:
    model: str
    generation: int
    status: str = strawberry.field(description="LIVE is what readers see; BUILDING and KEPT are beside it.")
    context: str
    floor: Long = strawberry.field(description="Every event up to this position is in its rows.")
    lag: Lag
    worker: str = strawberry.field(description="RUNNING, STOPPED.")
    reason: str | None = strawberry.field(description="Why its worker does not run.")


@strawberry.type
class ReadModelsQuery:
    @root(Staff, "Every generation of every read model, and how far it is.")
    async def read_models(self, info: Asked) -> list[ReadModel]:
        return await read_models(info.context.pool)


async def read_models(pool: Pool) -> list[ReadModel]:
    async with connected(pool) as connection:
        rows = await (await connection.execute(READ_MODELS)).fetchall()
    return [
        ReadModel(
            model=model,
            generation=generation,
            status=status,
            context=context,
            floor=Long(floor),
            lag=Lag(events=Long(max(0, head - floor)), seconds=None if seconds is None else float(seconds)),
            worker=worker,
            reason=reason,
        )
        for model, generation, status, context, floor, head, worker, reason, seconds in rows
    ]
