"""python -m tests.crash.builder CONNINFO: builds orders@2 when there is one, until it is built or killed."""

from __future__ import annotations

import asyncio
import sys

from tests.projections.replaying import a_shop


async def main(conninfo: str) -> None:
    async with a_shop(conninfo, batch=50) as shop:
        print("ready", flush=True)
        while len(found := await shop.generations()) < 2:
            await asyncio.sleep(0.01)
        await shop.builder.build(found[1])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
