"""replay: a read model built anew from a log of orders, as an operator's `chobo replay start` has it built.

The clock runs from the request to READY, indexes included. It is built by processes of its own, two unless set
otherwise, which share the parts; the ceiling is one process without a framework (bench/bare.py). Both must come to the
same rows.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack

import psycopg
from pydantic import SecretStr

from bench import bare
from bench.orders_log import orders, write
from bench.report import Figure, progress
from bench.server import fresh_server
from domain.ids import UserId, new_id
from infra.assembly.ground import Ground, laid
from infra.assembly.replaying import builder, replays
from infra.build_processes import BuildProcesses
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.duties import Duty
from infra.event_log.mapper import EventMapper
from infra.settings import Profile, Settings
from projections.generations import State
from projections.orders.projector import ORDERS

EVENTS = 600_000
CUSTOMERS = 5_000

DIFFERENT = """
SELECT count(*) FROM bare.orders b FULL JOIN {schema}.orders o USING (id)
WHERE to_jsonb(b) IS DISTINCT FROM to_jsonb(o)
"""


async def customers_with_keys(ground: Ground) -> dict[UserId, bytes]:
    ids = [UserId(new_id()) for _ in range(CUSTOMERS)]
    for id in ids:
        await ground.keys.create(id)
    await ground.keys.prefetch(ids)
    return {id: key for id in ids if (key := ground.keys.get(id))}


async def replayed(ground: Ground) -> tuple[float, str]:
    """Seconds from the request to READY, and the schema that was built."""
    asked = replays(ground)
    building = BuildProcesses(ground.settings, builder(ground).build)
    began = time.perf_counter()
    generation = await asked.start(ORDERS.name)
    await building.build(generation)
    took = time.perf_counter() - began
    assert (await asked.generation(ORDERS.name, generation.generation)).status is State.READY
    return took, generation.schema


async def measured(conninfo: str, events: int = EVENTS) -> Figure:
    """Raises AssertionError when the two did not come to the same rows."""
    settings = Settings(profile=Profile.DEVELOPMENT, database_url=SecretStr(conninfo), log_level="warning")
    async with AsyncExitStack() as stack:
        ground = await laid(settings, frozenset({Duty.PROJECTIONS}), CONTEXTS, stack)
        keys = await customers_with_keys(ground)
        progress(f"a log of {events} events")
        write(conninfo, orders(events, list(keys), random.Random(1)), EventMapper(ground.keys))
        progress(f"a replay by {settings.replay_processes} processes")
        took, schema = await replayed(ground)
        progress(f"{took:.1f} s; the same without a framework")
        table = ORDERS.table_sql
        plain = await asyncio.to_thread(bare.replayed, conninfo, table, {str(id): key for id, key in keys.items()})
        progress(f"{plain:.1f} s")
        assert ground.databases.conninfo(READS) == conninfo
    with psycopg.connect(conninfo) as connection:
        different = connection.execute(DIFFERENT.format(schema=schema).encode()).fetchone()
        assert different == (0,), f"{different} rows differ"
    goal = ">= 0.3 and >= 50000/s"
    return Figure("replay", "orders", events / took, "1/s", events / plain, goal=goal)


def main() -> None:
    with fresh_server() as conninfo:
        asyncio.run(measured(conninfo)).show()


if __name__ == "__main__":
    main()
