"""`/healthz`: the process lives. `/readyz`: it can do its work, that is, all it depends on answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Check = Callable[[], Awaitable[None]]
"""Raises when what it checks does not work."""


class Unfit(Exception):
    """What is checked answers, but not as it should. The message is shown, so it must name nothing secret."""


PATIENCE: Final = 2.0  # seconds for all checks together
NEVER_KEPT: Final = {"cache-control": "no-store"}


def health_routes(checks: Mapping[str, Check]) -> list[Route]:
    """`checks` are by the name of what is depended on."""

    async def healthz(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers=NEVER_KEPT)

    async def readyz(_: Request) -> JSONResponse:
        verdicts = await asyncio.gather(*(verdict(check) for check in checks.values()))
        ready = not any(verdicts)
        body = {
            "status": "ok" if ready else "unavailable",
            "checks": {name: said or "ok" for name, said in zip(checks, verdicts, strict=True)},
        }
        return JSONResponse(body, 200 if ready else 503, headers=NEVER_KEPT)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def verdict(check: Check) -> str:
    """Empty, or what is wrong; of others' errors the kind only, for a message may name hosts and users."""
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except Unfit as unfit:
        return str(unfit)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return type(error).__name__
    return ""
