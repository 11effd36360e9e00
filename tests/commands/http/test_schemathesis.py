"""Schemathesis over the whole document against the real app: no 5xx, and every answer is as described."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
import uvicorn

from commands.router import ROUTES
from domain.actor import Actor, Role, service
from domain.ids import new_id
from infra.bootstrap import System, running
from infra.settings import Settings
from tests import full

pytestmark = [pytest.mark.full("http"), pytest.mark.timeout(900)]

# what no schema can say (a parent of another tree, a stale version, a name of spaces) is refused with one of these
SETTINGS: Final = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "304", "4xx"]
negative_data_rejection.expected-statuses = ["4xx"]
missing_required_header.expected-statuses = ["400", "401", "403", "404", "406", "428"]
[auth.openapi.bearer]
bearer = "{token}"
"""
AT: Final = """
[[operations]]
include-path = "{path}"
parameters = {{ "path.id" = "{id}" }}
"""


@dataclass
class Served:
    """The whole system in a thread with an event loop of its own, and tokens of everybody."""

    address: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    ready: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    async def run(self, database: str) -> None:
        async with running(Settings.read(database_url=database, profile="development", rate_limits=1000)) as system:
            server = uvicorn.Server(uvicorn.Config(system.app, port=0, log_level="error", lifespan="off"))
            serving = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            self.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            await self.fill(system)
            self.ready.set()
            await asyncio.to_thread(self.stop.wait)
            server.should_exit = True
            await serving

    async def fill(self, system: System) -> None:
        """One of everything, so that not every id leads nowhere."""
        ann, bob = [await self.registered(name) for name in ("ann", "bob")]
        people = {
            "customer": Actor(ann, frozenset({Role.CUSTOMER})),
            "staff": Actor(bob, frozenset({Role.ADMIN, Role.STAFF, Role.OPERATOR})),
            "service": service("test"),
        }
        self.tokens = {name: system.tokens.lasting(actor, 3600) for name, actor in people.items()}
        variant = {"sku": "TEA-1", "price": {"amount": 450, "currency": "EUR"}}
        await self.post("staff", "/v1/categories", name="Tea")
        product = await self.post("staff", "/v1/products", name="Green tea", variants=[variant])
        self.ids.setdefault("stock", []).append(product)
        await self.post("customer", "/v1/orders/draft", currency="EUR")

    async def registered(self, name: str) -> UUID:
        body = {"email": f"{name}@example.com", "name": f"{name} bee", "password": "correct horse"}
        return UUID(await self.post(None, "/v1/users", **body))

    async def post(self, who: str | None, path: str, **body: Any) -> str:
        """The id that was made, or any if the body did not please."""
        headers = {"idempotency-key": str(new_id())}
        if who is not None:
            headers["authorization"] = f"Bearer {self.tokens[who]}"
        async with httpx.AsyncClient(base_url=self.address) as c:
            answer = await c.post(path, json=body, headers=headers)
        id = str(answer.json().get("id", new_id()))
        self.ids.setdefault(path.split("/")[2], []).append(id)
        return id


@pytest.fixture(scope="module")
def served(module_database: str) -> Iterator[Served]:
    served = Served()
    thread = threading.Thread(target=lambda: asyncio.run(served.run(module_database)))
    thread.start()
    while thread.is_alive() and not served.ready.wait(0.05):
        pass
    yield served
    served.stop.set()
    thread.join(30)


@pytest.mark.parametrize("who", full.size(["staff"], ["customer", "staff", "service"], suite="http"))
def test_every_operation_keeps_its_word(served: Served, who: str, tmp_path: Path):
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS.format(token=served.tokens[who]) + "".join(aimed(served)))
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--config-file", settings,
            "run", f"{served.address}/openapi.json", "--no-color", "--checks", "all", "--seed", str(full.seed()),
            "--max-examples", str(full.size(3, 15)), "--phases", "examples,coverage,fuzzing",
            "--suppress-health-check", "all",
        ],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr


def aimed(served: Served) -> Iterator[str]:
    """Settings that send half of the operations to things that exist."""
    for route in ROUTES[::2]:
        for id in served.ids.get(route.collection, [])[:1]:
            if "{id}" in route.path:
                yield AT.format(path=route.path, id=id)
