"""How far the read models are, for those who operate them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from projections.lag import Standing, standings
from projections.pool import connected
from read_api.access import Staff, root
from read_api.context import Asked
from read_api.scalars import Long, id_of


@strawberry.type(description="A part of a context, one of 64, that lags behind.")
class SliceLag:
    slice: int = strawberry.field(description="Its number, 0 to 63.")
    events: Long = strawberry.field(description="Events of it that are missing.")


@strawberry.type(description="How far behind its log a read model was when a worker last measured it.")
class Lag:
    events: Long = strawberry.field(description="Events that are not in its rows yet.")
    seconds: float | None = strawberry.field(
        description="Age of the oldest event that is not in its rows yet; null if it was not measured."
    )
    slices: list[SliceLag] = strawberry.field(description="Where events are missing, as far as they were counted.")
    measured_at: datetime | None = strawberry.field(description="When it was measured; null if never.")


@strawberry.type(description="A generation of a read model, fed from one context.")
class ReadModel:
    model: str = strawberry.field(description="What is read: orders, users and so on.")
    generation: int = strawberry.field(description="Counts how often it was built anew.")
    status: str = strawberry.field(
        description="LIVE is what readers see; BUILDING, READY (built) and KEPT (seen before) are beside it."
    )
    context: str = strawberry.field(description="The context it is fed from.")
    floor: Long = strawberry.field(description="Every event up to this position is in its rows.")
    lag: Lag = strawberry.field(description="How far behind it is.")
    worker: str = strawberry.field(description="RUNNING, STANDBY, WAITING, STOPPED.")
    reason: str | None = strawberry.field(description="Why its worker does not run.")
    parked: int = strawberry.field(description="Aggregates with an event that could not be applied.")
    replay: strawberry.ID = strawberry.field(description="What the command API calls it by: /v1/replays/{id}.")
    until: str | None = strawberry.field(description="The moment it is as of, if it is not followed.")
    built: Long = strawberry.field(description="Events applied of those it is built from.")
    to_build: Long | None = strawberry.field(description="Events it is built from; null if it was followed at once.")


@strawberry.type
class ReadModelsQuery:
    @root(Staff, "Every generation of every read model, and how far it is.")
    async def read_models(self, info: Asked) -> list[ReadModel]:
        async with connected(info.context.pool) as connection:
            return [read_model(standing) for standing in await standings(connection)]


def read_model(standing: Standing) -> ReadModel:
    return ReadModel(
        model=standing.model,
        generation=standing.generation,
        status=standing.state,
        context=standing.context,
        floor=Long(standing.floor),
        lag=lag_of(standing),
        worker=standing.status,
        reason=standing.reason,
        parked=standing.parked,
        replay=id_of(standing.replay),
        until=standing.until,
        built=Long(standing.done),
        to_build=None if standing.total is None else Long(standing.total),
    )


def lag_of(standing: Standing) -> Lag:
    return Lag(
        events=Long(standing.events),
        seconds=standing.seconds,
        slices=[SliceLag(slice=slice, events=Long(n)) for slice, n in sorted(standing.slices.items())],
        measured_at=standing.measured_at,
    )
