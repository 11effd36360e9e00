"""What a load balancer and an orchestrator are told."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from infra import health
from infra.health import health_routes


async def fine() -> None:
    return


async def away() -> None:
    raise ConnectionError("db.internal refuses user chobo")


async def hangs() -> None:
    await asyncio.Event().wait()


async def get(path: str, **checks: health.Check) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=health_routes(checks)))
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
        return await client.get(path)


async def test_a_process_lives_whatever_it_depends_on():
    assert (await get("/healthz", log=away)).json() == {"status": "ok"}


async def test_it_is_ready_when_all_it_depends_on_answers():
    answer = await get("/readyz", log=fine)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {"log": "ok"}})


async def test_what_is_away_is_named_without_its_address():
    answer = await get("/readyz", log=fine, models=away)
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "checks": {"log": "ok", "models": "ConnectionError"}}


async def test_what_hangs_counts_as_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    assert (await get("/readyz", log=hangs)).json()["checks"] == {"log": "TimeoutError"}
