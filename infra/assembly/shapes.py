"""Read models whose table.sql has changed: nobody reads before the tables are those of this release."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from infra.assembly.ground import Ground
from infra.databases import READS
from infra.health import Check, Unfit
from projections.generations import State
from projections.lag import Standing, standings
from projections.models import MODELS
from projections.pool import Pool, connected
from projections.schema import ShapeChanged, require_shape

LOOK: Final = 0.25  # seconds between looks
SAY: Final = 8  # looks between two lines about it

log = logging.getLogger("chobo.shapes")


def fit_to_read(ground: Ground) -> Check:
    async def check() -> None:
        try:
            await require_shape(ground.databases.pool(READS), MODELS)
        except ShapeChanged as error:
            raise Unfit(str(error)) from error

    return check


async def rebuilt(ground: Ground) -> None:
    """Waits while this process, or another, builds what has changed and leads readers to it, and says how far it is.

    Raises ShapeChanged when a later release has done that already.
    """
    pool, looks = ground.databases.pool(READS), 0
    while True:
        try:
            await require_shape(pool, MODELS)
        except ShapeChanged as error:
            if error.is_older:
                raise
            if looks % SAY == 0:
                log.warning("%s%s", error, await _progress(pool))
        else:
            return
        looks += 1
        await asyncio.sleep(LOOK)


async def _progress(pool: Pool) -> str:
    async with connected(pool) as connection:
        building = [s for s in await standings(connection) if s.state == State.BUILDING]
    return "".join(f"; {_told(s)}" for s in building)


def _told(s: Standing) -> str:
    return f"{s.name} has {s.done} of {s.total} events of {s.context}"
