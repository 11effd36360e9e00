"""The dashboard as a process of its own, beside all others on Kafka: it shows what they do, and acts through them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from domain.ids import OrderId, checkout_of, new_id, payment_of
from infra.gateway.sandbox import SandboxGateway
from sagas.dashboard.pages import PAGES
from tests.e2e.checkouts import Checkouts
from tests.e2e.fleet import Fleet, environment_file, fleet
from tests.eventually import until

pytestmark = [pytest.mark.requires("kafka"), pytest.mark.timeout(180)]

MENU: Final = [page.path for page in PAGES if page.menu]


@dataclass
class Visitor:
    """Somebody at a browser without JavaScript."""

    http: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(f"/dashboard{path}")

    async def post(self, path: str, **form: Any) -> httpx.Response:
        return await self.http.post(f"/dashboard{path}", data={"csrf": await self._csrf(), "key": str(uuid4())} | form)

    async def sign_in(self, email: str, password: str) -> None:
        answer = await self.http.post("/dashboard/sign-in", data={"email": email, "password": password})
        assert answer.status_code == 303, answer.text

    async def _csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get("/")).text)
        assert found
        return found[1]


@pytest.fixture
def settings(database: str, kafka: str, tmp_path: Path) -> dict[str, str]:
    deployed = environment_file()
    del deployed["CHOBO_OTLP_ENDPOINT"]
    return deployed | {
        "CHOBO_DATABASE_URL": database,
        "CHOBO_KAFKA_BOOTSTRAP": kafka,
        "CHOBO_TOPIC_PREFIX": f"dashboard-{new_id().hex[-12:]}",
        "CHOBO_TOPIC_PARTITIONS": "2",
        "CHOBO_POOL_SIZE": "4",
        "CHOBO_DATA": str(tmp_path / "data"),
        "CHOBO_ERASURE_LIST": str(tmp_path / "erasures.jsonl"),
    }


@pytest.fixture
async def gateway(settings: dict[str, str], tmp_path: Path) -> AsyncIterator[SandboxGateway]:
    async with SandboxGateway(tmp_path / "gateway", secret=settings["CHOBO_GATEWAY_WEBHOOK_SECRETS"]) as gateway:
        settings["CHOBO_GATEWAY_URL"] = gateway.address
        yield gateway


@pytest.fixture
def processes(settings: dict[str, str], gateway: SandboxGateway, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as processes:
        commands = processes.add("commands", "serve", "commands").start()
        processes.environment["CHOBO_COMMANDS_URL"] = commands.address
        others = [processes.add(what, "work", what) for what in ("relay", "projections", "sagas", "todo")]
        others.append(processes.add("dashboard", "serve", "dashboard"))
        for each in others:
            each.begin()
        for each in others:
            each.settled()
        yield processes


@pytest.fixture
async def visitor(processes: Fleet, settings: dict[str, str]) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(base_url=processes["dashboard"].address, timeout=30) as http:
        visitor = Visitor(http)
        await visitor.sign_in(settings["CHOBO_OPERATOR_EMAIL"], settings["CHOBO_OPERATOR_PASSWORD"])
        yield visitor


async def shows(visitor: Visitor, path: str, *words: str) -> bool:
    answer = await visitor.get(path)
    return answer.status_code == 200 and all(word in answer.text for word in words)


async def acts(visitor: Visitor, path: str, reason: str) -> bool:
    """As often as it takes to look at the newest version of what still moves."""
    version = re.search(r'name="version" value="(\d+)"', (await visitor.get(path)).text)
    answer = await visitor.post(path, version=version[1] if version else "0", reason=reason)
    return answer.status_code == 303


async def test_it_shows_what_other_processes_do_and_acts_through_them(processes, settings, visitor):
    shop = await Checkouts.opened(processes["commands"].address, settings["CHOBO_TOKEN_KEYS"], stock=10)
    done, waiting = OrderId(new_id()), OrderId(new_id())
    await shop.place(done, "pm_card_visa")
    await shop.place(waiting, "pm_card_authenticationRequired")
    saga = f"/sagas/{checkout_of(payment_of(waiting))}"

    await until(partial(shows, visitor, f"/sagas/{checkout_of(payment_of(done))}", "done"), within=60)
    await until(partial(shows, visitor, saga, "what comes of its command"), within=60)
    for path in [*MENU, f"{saga}/causes", f"{saga}/test", f"/aggregates/orders/{done}", "/models/orders"]:
        assert (await visitor.get(path)).status_code == 200, path

    await until(partial(acts, visitor, f"{saga}/act/pause", "we look at it together"), within=60)
    await until(partial(shows, visitor, saga, "running, paused"), within=60)
    await until(partial(shows, visitor, "/audit", "we look at it together"), within=60)
    assert processes["dashboard"].is_ready
    assert set(processes.stop().values()) == {0}
