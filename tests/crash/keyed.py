"""python -m tests.crash.keyed CONNINFO TARGET KEYS DIES: sends a command with each key, prints the replies as JSON.

With DIES `dies` the process ends the hard way after the commit of the first append, before anybody is answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from uuid import UUID

from bench.counter import CountUp
from bench.server import counter_loop
from commands.loop import WriteLoop
from commands.reply import Envelope, Key, Reply
from domain.actor import ANONYMOUS


def envelope(target: UUID, key: UUID) -> Envelope:
    return Envelope(CountUp().bind(by=ANONYMOUS, target=target), "keyed", key=Key(key, b"digest", None))


def shown(reply: Reply) -> list[object]:
    return [reply.result().version, [list(place) for place in reply.positions]]


async def send(loop: WriteLoop, target: UUID, keys: list[UUID]) -> list[list[object]]:
    return [shown(reply) for reply in await asyncio.gather(*(loop.submit(envelope(target, key)) for key in keys))]


async def main(conninfo: str, target: UUID, keys: list[UUID], *, dies: bool) -> None:
    async with counter_loop(conninfo) as loop:
        if dies:
            loop._log.on_written(lambda _: os._exit(9))  # type: ignore[attr-defined]  # of the adapter, not of the port
        print(json.dumps(await send(loop, target, keys)))


if __name__ == "__main__":
    conninfo, target, keys, dies = sys.argv[1:]
    asyncio.run(main(conninfo, UUID(target), [UUID(key) for key in keys.split(",")], dies=dies == "dies"))
