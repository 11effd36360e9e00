"""python -m tests.commands.products.worker CONNINFO: a write loop that does what it is told, one JSON line a request.

{"at": T, "do": {"kind": ..., "target": ..., "body": ...}}   one command at the monotonic time T: its answer or refusal
{"at": T, "hot": ID, "callers": N, "seconds": S}             N callers reserve the variant and commit, without a pause
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any
from uuid import UUID

from commands.loop import WriteLoop
from commands.message import Command
from commands.products import messages
from commands.reply import Reply
from tests.commands.products.desk import reserve
from tests.commands.products.loops import products_loop, submit


async def do(loop: WriteLoop, told: dict[str, Any]) -> dict[str, Any]:
    message = getattr(messages, told["kind"]).model_validate_json(json.dumps(told["body"]))
    return outcome(await submit(loop, message, told["target"] and UUID(told["target"])))


def outcome(reply: Reply) -> dict[str, Any]:
    if reply.refusal:
        return {"refused": reply.refusal.code, "facts": reply.refusal.facts}
    return {"status": reply.result().status}


async def hot(loop: WriteLoop, variant: UUID, callers: int, until: float) -> dict[str, Any]:
    """Accepted commands, and how long each took in seconds; nothing is left out as warm-up."""
    took: list[float] = []

    async def timed(command: Command, target: UUID | None = None) -> UUID:
        began = time.monotonic()
        answer = (await submit(loop, command, target)).result()
        took.append(time.monotonic() - began)
        return answer.id

    async def caller() -> None:
        while time.monotonic() < until:
            held = await timed(reserve((variant, 1)))
            await timed(messages.CommitReservation(), held)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return {"accepted": len(took), "took": sorted(took)}


async def work(conninfo: str) -> None:
    async with products_loop(conninfo) as loop:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = json.loads(line)
            while time.monotonic() < told["at"]:
                pass  # a sleep would wake up late, and the race would be none
            if "do" in told:
                answer = await do(loop, told["do"])
            else:
                answer = await hot(loop, UUID(told["hot"]), told["callers"], told["at"] + told["seconds"])
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
