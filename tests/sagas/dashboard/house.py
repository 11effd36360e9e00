"""A shop that is served at an address, with sagas in several states, and people of every role who can sign in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx
import uvicorn

from domain.ids import OrderId, checkout_of, new_id, payment_of
from infra.bootstrap import running
from infra.gateway.memory import MemoryGateway
from infra.settings import Settings
from infra.tokens import new_key_set
from tests.e2e.checkouts import Checkouts
from tests.eventually import eventually, until

T = TypeVar("T")

PASSWORD: Final = "a long password"
OPERATOR: Final = "operator@chobo.example"
STAFF: Final = "staff@chobo.example"
CUSTOMER: Final = "customer@chobo.example"
JSON = dict[str, Any]
ASKED_TO_ACT: Final = 10
"""The version at which a checkout has heard that its payer is to act."""


class Served:
    """`running` and a server of it on an event loop in a thread of its own."""

    def __init__(self, settings: Settings, gateway: MemoryGateway) -> None:
        self._settings = settings
        self._gateway = gateway
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.address = ""

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with running(self._settings, gateway=self._gateway) as system:
            config = uvicorn.Config(system.app, port=0, log_level="error", ws="none", lifespan="off")
            self._server = uvicorn.Server(config)
            serving = asyncio.create_task(self._server.serve())
            await until(lambda: bool(self._server and self._server.started))
            port = self._server.servers[0].sockets[0].getsockname()[1]
            self.address = f"http://127.0.0.1:{port}"
            self._ready.set()
            await serving
            system.stopping.set()

    def start(self) -> None:
        self._thread.start()
        while not self._ready.wait(0.1):
            assert self._thread.is_alive(), "it did not come up"

    def stop(self) -> None:
        """Whoever still listens to a page is not waited for."""
        assert self._server
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(30)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """On the loop of the server."""
        assert self._loop
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@dataclass
class House:
    """`orders` by what became of them."""

    served: Served
    shop: Checkouts
    database: str
    orders: dict[str, OrderId] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.served.address

    def saga(self, name: str) -> str:
        return str(checkout_of(payment_of(self.orders[name])))

    def ask(self, path: str, body: JSON, **more: Any) -> JSON:
        return self.served.do(self.shop.asks(path, body, **more))

    def place(self, name: str, token: str, status: str) -> None:
        """An order, once its saga has this status."""
        self.orders[name] = id = OrderId(new_id())
        self.served.do(self.shop.place(id, token))
        self.wait_for(self.saga(name), lambda seen: seen["status"] == status)

    def place_waiting(self, name: str) -> None:
        """An order whose payer has been asked to do something first, and does not: its saga goes no further."""
        self.place(name, "pm_card_authenticationRequired", "RUNNING")
        self.wait_for(self.saga(name), lambda seen: seen["version"] >= ASKED_TO_ACT)

    def wait_for(self, saga: str, condition: Callable[[JSON], bool]) -> None:
        eventually(lambda: (seen := self.look(saga)) is not None and condition(seen))

    def look(self, saga: str) -> JSON | None:
        """As the command API knows it."""
        answer = httpx.get(f"{self.address}/v1/sagas/{saga}", headers=self.in_charge())
        return answer.json() if answer.is_success else None

    def in_charge(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.shop.tokens.service('tests', 300)}"}

    def get_stuck(self, name: str) -> None:
        """Part of it was shipped when it turned out that the money cannot be had."""
        self.place(name, "pm_card_captureFail", "RUNNING")
        id, saga = self.orders[name], self.saga(name)
        eventually(lambda: self.tried(f"/v1/orders/{id}/ship", {"carrier": "DHL"}))
        for _ in range(100):
            seen = self.look(saga)
            assert seen
            if seen["status"] == "STUCK":
                return
            self.tried(f"/v1/sagas/{saga}/retry", {"reason": "again"}, version=seen["version"])
        raise AssertionError("it does not get stuck")

    def tried(self, path: str, body: JSON, version: int | None = None) -> bool:
        headers = {
            "authorization": f"Bearer {self.shop.tokens.service('tests', 300)}",
            "idempotency-key": str(new_id()),
        }
        headers |= {"if-match": f'"{version}"'} if version else {}
        return httpx.post(f"{self.address}{path}", json=body, headers=headers).is_success

    def hire(self, email: str, *roles: str) -> None:
        person = {"email": email, "password": PASSWORD, "name": email.partition("@")[0].title()}
        id = self.ask("/v1/users", person)["id"]
        for role in roles:
            self.ask(f"/v1/users/{id}/grant-role", {"role": role})


@contextmanager
def opened(database: str, **more: Any) -> Iterator[House]:
    """`more` are settings by name."""
    keys = new_key_set()
    settings = Settings.read(
        {}, profile="development", database_url=database, token_keys=keys, rate_limits=0, operator_email=OPERATOR,
        operator_password=PASSWORD, **more,
    )  # fmt: skip
    served = Served(settings, MemoryGateway())
    served.start()
    try:
        house = House(served, served.do(Checkouts.opened(served.address, keys, stock=1_000)), database)
        house.hire(STAFF, "staff")
        house.hire(CUSTOMER)
        yield house
    finally:
        served.stop()
