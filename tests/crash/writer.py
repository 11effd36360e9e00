"""python -m tests.crash.writer CONNINFO SEED: counts up and moves; prints `id version` of what was acknowledged."""

from __future__ import annotations

import asyncio
import random
import sys
from uuid import UUID, uuid5

from bench.counter import CountUp, Move
from bench.server import counter_loop
from commands.loop import WriteLoop
from commands.message import Command
from commands.reply import Envelope
from domain.actor import ANONYMOUS
from domain.ids import NAMESPACE

CALLERS = 12
COUNTERS = [uuid5(NAMESPACE, f"crash/{n}") for n in range(20)]


def command(dice: random.Random) -> Command:
    target, *sources = dice.sample(COUNTERS, 3)
    asked: Command = CountUp() if dice.random() < 0.7 else Move(sources=tuple(sources))
    return asked.bind(by=ANONYMOUS, target=target)


async def caller(loop: WriteLoop, dice: random.Random) -> None:
    while True:
        reply = await loop.submit(Envelope(command(dice), "crash", deadline=30))
        if reply.refusal is None:
            acknowledge(reply.result().id, reply.result().version)


def acknowledge(id: UUID, version: int) -> None:
    sys.stdout.write(f"{id} {version}\n")
    sys.stdout.flush()


async def main(conninfo: str, seed: int) -> None:
    async with counter_loop(conninfo) as loop:
        await asyncio.gather(*(caller(loop, random.Random(seed * 1000 + n)) for n in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
