"""python -m bench.hot_process CONNINFO TARGET CALLERS SECONDS: one of two processes on it; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from uuid import UUID

import uvloop

from bench.callers import call
from bench.server import counter_loop


async def main(conninfo: str, target: UUID, callers: int, seconds: float) -> None:
    async with counter_loop(conninfo) as loop:
        await call(loop, 1, 0.2, lambda *_: target)  # connects and loads; not counted
        began = time.time()
        ends: list[tuple[float, float]] = []
        met = await call(loop, callers, seconds, lambda *_: target, ended=ends)
        print(json.dumps({"began": began, "ended": time.time(), "rate": met.rate, "calls": ends}))


if __name__ == "__main__":
    conninfo, target, callers, seconds = sys.argv[1:]
    uvloop.run(main(conninfo, UUID(target), int(callers), float(seconds)))
