"""`chobo audit` shows who did what and why, and who was denied what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from subprocess import CompletedProcess
from uuid import UUID

import httpx
import pytest

from domain.actor import Actor, Role
from domain.ids import new_id
from infra.bootstrap import System, running
from infra.settings import Settings
from tests.eventually import until
from tests.infra.cli.process import chobo, lines

WHY = "The projector is mended"
PARKED = str(new_id())


@dataclass
class Desk:
    system: System
    http: httpx.AsyncClient
    database: str

    async def register(self, name: str, role: Role) -> Actor:
        body = {"email": f"{name}@example.com", "password": "correct horse", "name": name.title()}
        answer = await self.http.post("/v1/users", json=body)
        return Actor(UUID(answer.json()["id"]), frozenset({role}))

    async def retry(self, by: Actor) -> int:
        token = self.system.tokens.access(by)[0]
        headers = {"authorization": f"Bearer {token}", "idempotency-key": str(new_id())}
        answer = await self.http.post(f"/v1/parked/{PARKED}/retry", json={"reason": WHY}, headers=headers)
        return answer.status_code

    async def audit(self, *arguments: str) -> CompletedProcess[str]:
        environment = {"CHOBO_DATABASE_URL": self.database, "CHOBO_PROFILE": "development"}
        return await asyncio.to_thread(chobo, "audit", *arguments, **environment)

    async def ended(self, count: int) -> None:
        """Until so many operations have an end that the audit log shows."""

        async def shown() -> bool:
            found = lines(await self.audit("--json"))
            return sum(line["endedAt"] is not None for line in found) == count

        await until(shown)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with running(Settings.read(defaults={"database_url": database, "profile": "development"})) as system:
        transport = httpx.ASGITransport(system.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as http:
            yield Desk(system, http, database)


async def test_who_did_what_and_why_and_who_might_not(desk: Desk) -> None:
    olga, ann = await desk.register("olga", Role.OPERATOR), await desk.register("ann", Role.CUSTOMER)
    assert (await desk.retry(ann), await desk.retry(olga)) == (403, 202)
    await desk.ended(2)
    done, denied = lines(await desk.audit("--json"))
    assert (done["actor"], done["reason"], done["kind"], done["target"]) == (str(olga), WHY, "parked.retry", PARKED)
    assert (done["status"], done["explanation"]) == ("NO_EFFECT", f"nothing is parked under {PARKED} any more")
    assert (denied["actor"], denied["reason"], denied["status"]) == (str(ann), None, "DENIED")
    assert denied["explanation"] == "needs the scope parked:act"

    assert lines(await desk.audit("--actor", str(olga), "--json")) == [done]
    assert lines(await desk.audit("--status", "DENIED", "--target", PARKED, "--json")) == [denied]
    assert lines(await desk.audit("--since", "2199-01-01", "--json")) == []
    assert lines(await desk.audit(done["id"], "--json")) == [done]
    for table in (await desk.audit(), await desk.audit(done["id"])):
        assert WHY in table.stdout


async def test_what_is_unknown_is_said(desk: Desk) -> None:
    nobody = str(new_id())
    done = await desk.audit(nobody)
    assert (done.returncode, done.stderr) == (1, f"chobo: there is no operation {nobody}\n")
    wrong = await desk.audit("--status", "GONE")
    assert wrong.returncode == 2
    assert "unknown status GONE; there are REQUESTED, DONE" in " ".join(wrong.stderr.split())
