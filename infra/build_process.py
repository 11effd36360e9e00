"""python -m infra.build_process MODEL NUMBER: helps to build a generation until it is built or the parent has ended.

The settings come pickled on standard input, from the process that started this one.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from contextlib import AsyncExitStack

import uvloop

from infra import garbage
from infra.assembly.ground import laid
from infra.assembly.replaying import builder, replays
from infra.contexts import CONTEXTS
from infra.duties import Duty
from infra.logs import log_to_stderr
from infra.settings import Settings


def main(model: str, number: int) -> None:
    settings: Settings = pickle.load(sys.stdin.buffer)  # noqa: S301  # from our own parent
    log_to_stderr(settings.log_level, as_json=not sys.stderr.isatty())
    garbage.settle(garbage.BATCHES)
    uvloop.run(until_the_parent_ends(settings, model, number))


async def until_the_parent_ends(settings: Settings, model: str, number: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # nothing more is sent: what is there to be read is the end
    building = asyncio.create_task(build(settings, model, number))
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait({building, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not building.done():
        building.cancel()
    await asyncio.gather(building, waiting, return_exceptions=True)
    if not building.cancelled():
        building.result()


async def build(settings: Settings, model: str, number: int) -> None:
    async with AsyncExitStack() as stack:
        ground = await laid(settings, frozenset({Duty.PROJECTIONS}), CONTEXTS, stack)
        await builder(ground).build(await replays(ground).generation(model, number))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
