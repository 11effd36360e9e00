"""Checkouts and cancellations by separate processes, with a gateway that fails in every way, while workers are killed.

At the end every saga has ended or waits visibly for an operator, each order's money and goods are where the order says
- the gateway's own books agree - and nobody was charged twice.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import psycopg
import pytest

from domain.ids import OrderId, cancellation_of, checkout_of, new_id, payment_of
from domain.orders.order import Order, Status
from domain.sagas.saga import Saga
from infra.gateway.faults import Fault
from infra.gateway.sandbox import SandboxGateway
from infra.gateway.sandbox.misfortune import Rule
from infra.settings import Settings
from projections.todo import CHANNEL
from tests.e2e.checkouts import Checkouts, insisted
from tests.e2e.fleet import Fleet, environment_file, fleet
from tests.eventually import until
from tests.full import is_full, randomness, seed, size
from tests.sagas.books import Books, Intent, books, intent_of

SUITE: Final = "saga-chaos"
LIMIT: Final = 3000 if is_full(SUITE) else 300  # seconds
pytestmark = [pytest.mark.full(SUITE), pytest.mark.timeout(LIMIT)]

ORDERS: Final = size(20, 1_000, suite=SUITE)
ROUNDS: Final = size(1, 15, suite=SUITE)  # in which everybody who may be killed is
AT_ONCE: Final = 8
OFTEN: Final = 0.05  # of the requests, each fault
SECONDS: Final = {Fault.DELAY: 0.3, Fault.LATE: 1.0, Fault.REORDERED: 1.0}
PACE: Final = 0.2  # seconds between looks: whoever looks takes time from those who work
HANGS: Final = 0.7  # seconds until what is not answered ends in a broken connection

MORTAL: Final = ("sagas-1", "sagas-2", "todo-1", "todo-2")
CARDS: Final = {
    "pm_card_visa": 12,
    "pm_card_chargeDeclinedInsufficientFunds": 2,
    "pm_card_authenticationRequired": 3,
    "pm_card_captureFail": 2,
}
ENDED_BADLY: Final = {Status.REJECTED, Status.EXPIRED, Status.CANCELLED}
AUTHORISED: Final = {"Authorization": "Bearer sk_test_of_the_tests"}

# Time passes more quickly for a small test: what is tried again is due, and a dead worker's lease has run out.
HURRY: Final = """
UPDATE projections.todo SET due_at = statement_timestamp()
WHERE status = 'OPEN' AND lease IS NULL AND due_at > statement_timestamp()
    AND (kind <> 'saga-timer' OR data ->> 'name' LIKE 'retry/%')
"""
LEFT: Final = "UPDATE projections.todo SET leased_until = statement_timestamp() WHERE worker = ANY (%s)"
WORKERS: Final = "SELECT DISTINCT worker FROM projections.todo WHERE lease IS NOT NULL"


@dataclass
class Chaos:
    """`placed` has the card of each order, `regretted` those that somebody asked to cancel."""

    fleet: Fleet
    shop: Checkouts
    books: Books
    bank: httpx.AsyncClient
    dice: Random
    placed: dict[OrderId, str] = field(default_factory=dict)
    regretted: set[OrderId] = field(default_factory=set)

    async def buys(self) -> None:
        """So many customers at once, until all orders are placed."""
        cards = self.dice.choices([*CARDS], [*CARDS.values()], k=ORDERS)
        async with httpx.AsyncClient(timeout=20) as http, asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._buys(cards, http))

    async def _buys(self, cards: list[str], http: httpx.AsyncClient) -> None:
        while cards:
            id, card = OrderId(new_id()), cards.pop()
            await insisted(lambda id=id, card=card: self.shop.place(id, card, http))
            self.placed[id] = card
            if self.dice.random() < 0.2:
                await self._regrets(id, http)

    async def _regrets(self, id: OrderId, http: httpx.AsyncClient) -> None:
        """At any step of its checkout, or when that is over."""
        if self.dice.random() < 0.5:
            await until(partial(self._checked_out, id), within=LIMIT / 2)
        else:
            await asyncio.sleep(self.dice.random() * 2)
        self.regretted.add(id)
        await insisted(lambda: self.shop.cancel(id, http))

    async def _checked_out(self, id: OrderId) -> bool:
        await asyncio.sleep(PACE)
        order = await self.books.order(id)
        return order is not None and order.saga is None

    async def confirms(self) -> None:
        """Customers whose bank wants to hear of them go to its page and pay."""
        while True:
            for intent in list(self.books.gateway.state.of("payment_intent")):
                if intent["status"] == "requires_action":
                    await self.bank.post(f"/_intents/{intent['id']}", json={"succeed": True})
            await asyncio.sleep(0.1)

    async def kills(self) -> None:
        for name in (name for _ in range(ROUNDS) for name in self.dice.sample(MORTAL, len(MORTAL))):
            await asyncio.sleep(self.dice.uniform(0.5, 1.5))
            victim = self.fleet[name]
            await asyncio.to_thread(victim.kill)
            await asyncio.sleep(self.dice.random() / 2)
            victim.begin()
            await asyncio.to_thread(victim.settled)

    async def settled(self) -> bool:
        """Nothing happens any more by itself."""
        await asyncio.sleep(PACE)
        orders = await self.books.of("orders", self.placed, Order)
        stuck = {saga.key for saga in await self.sagas() if waits_for_operator(saga)}
        moving = (Status.PLACED, Status.CANCEL_PENDING)
        busy = [o for o in orders if payment_of(o.id) not in stuck and (o.saga is not None or o.status in moving)]
        running = [s for s in await self.sagas() if not s.ended and s.key not in stuck]
        return not busy and not running and len(orders) == ORDERS and self.books.idle()

    async def sagas(self) -> list[Saga]:
        ids = [of(payment_of(id)) for id in self.placed for of in (checkout_of, cancellation_of)]
        return await self.books.of("sagas", ids, Saga)

    async def intents(self) -> Mapping[str, list[Intent]]:
        """What the gateway says through its API, by order."""
        found: dict[str, list[Intent]] = {}
        query: dict[str, Any] = {"limit": 100, "expand[0]": "data.latest_charge.refunds"}
        while True:
            page = (await self.bank.get("/v1/payment_intents", params=query)).raise_for_status().json()
            for each in page["data"]:
                refunds = (each["latest_charge"] or {}).get("refunds", {}).get("data", [])
                found.setdefault(each["metadata"]["order_id"], []).append(intent_of(each, refunds))
            if not page["has_more"]:
                return found
            query["starting_after"] = page["data"][-1]["id"]


def waits_for_operator(saga: Saga) -> bool:
    return saga.stuck or saga.parked is not None


@dataclass(frozen=True)
class Shape:
    """How the processes are put together."""

    by_http: bool = False
    kafka: bool = False


SHAPES: Final = {"store-http": Shape(by_http=True), "store": Shape(), "kafka": Shape(kafka=True)}


@pytest.fixture(params=SHAPES if is_full(SUITE) else ["store-http"])
def shape(request: pytest.FixtureRequest) -> Shape:
    """In small size the one in which most can go wrong."""
    return SHAPES[request.param]


@pytest.fixture
def settings(database: str, shape: Shape, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    deployed = environment_file()
    del deployed["CHOBO_OTLP_ENDPOINT"], deployed["CHOBO_KAFKA_BOOTSTRAP"]
    own = {
        "CHOBO_DATABASE_URL": database,
        "CHOBO_FEED": "store",
        "CHOBO_POOL_SIZE": "4",
        "CHOBO_DATA": str(tmp_path / "data"),
        "CHOBO_ERASURE_LIST": str(tmp_path / "erasures.jsonl"),
    }
    if shape.kafka:
        own["CHOBO_KAFKA_BOOTSTRAP"] = request.getfixturevalue("kafka")
        own |= {"CHOBO_FEED": "kafka", "CHOBO_TOPIC_PREFIX": f"e2e-{new_id().hex[-12:]}", "CHOBO_TOPIC_PARTITIONS": "6"}
    return deployed | own


@pytest.fixture
async def gateway(settings: dict[str, str], tmp_path: Path) -> AsyncIterator[SandboxGateway]:
    secret = settings["CHOBO_GATEWAY_WEBHOOK_SECRETS"]
    async with SandboxGateway(tmp_path / "gateway", secret=secret, faults=faults()) as gateway:
        settings["CHOBO_GATEWAY_URL"] = gateway.address
        yield gateway


def faults() -> list[Rule]:
    """Each as often as the others, every run with the same seed alike."""
    return [
        Rule(fault=fault, probability=OFTEN, seed=seed() + number, seconds=SECONDS.get(fault, HANGS))
        for number, fault in enumerate(Fault)
    ]


def assembled(fleet: Fleet, shape: Shape) -> None:
    """Commands come first: the others are told where they are."""
    fleet.add("commands", "serve", "commands").start()
    if shape.by_http:
        fleet.environment["CHOBO_COMMANDS_URL"] = fleet["commands"].address
    others = [fleet.add("projections", "work", "projections")]
    others += [fleet.add(f"{what}-{number}", "work", what) for what in ("sagas", "todo") for number in (1, 2)]
    others += [fleet.add("relay", "work", "relay")] if shape.kafka else []
    for each in others:
        each.begin()
    for each in others:
        each.settled()


@asynccontextmanager
async def chaos(settings: dict[str, str], shape: Shape, gateway: SandboxGateway, logs: Path) -> AsyncIterator[Chaos]:
    with fleet(settings, logs) as processes:
        await asyncio.to_thread(assembled, processes, shape)
        address = processes["commands"].address
        shop = await Checkouts.opened(address, settings["CHOBO_TOKEN_KEYS"], stock=ORDERS * 3 // 4)
        async with (
            httpx.AsyncClient(base_url=gateway.address, timeout=20, headers=AUTHORISED) as bank,
            books(Settings.read(settings), gateway) as read,
        ):
            await bank.post("/_webhooks", json={"url": f"{address}/v1/webhooks/stripe"})
            yield Chaos(processes, shop, read, bank, randomness())


async def test_money_and_stock_settle_whatever_fails_and_whoever_dies(settings, shape, gateway, tmp_path):
    async with chaos(settings, shape, gateway, tmp_path) as it:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(it.confirms()), group.create_task(hurried(it.books.conninfo))]
            killing = group.create_task(it.kills())
            await it.buys()
            await killing
            await until(it.settled, within=LIMIT * 0.7)
            for task in beside:
                task.cancel()
        await it.bank.delete("/_faults")
        await asyncio.to_thread(it.fleet.wait_until_applied, it.fleet["projections"])
        print(f"seed {seed()}: {await told(it)}")
        await require_balance(it)
        await asyncio.to_thread(require_sound, it.fleet)
        assert listed(it.fleet, "--waits-for", "OPERATOR") == {str(s.id) for s in await it.sagas() if s.stuck}
        assert set(it.fleet.stop().values()) == {0}


async def hurried(conninfo: str) -> None:
    """In small size only: in full, time is as it is."""
    while not is_full(SUITE):
        await asyncio.to_thread(hurry, conninfo)
        await asyncio.sleep(0.5)


def hurry(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        workers = [worker for (worker,) in connection.execute(WORKERS)]
        connection.execute(LEFT, [[worker for worker in workers if not lives(worker)]])
        connection.execute(HURRY)
        connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def lives(worker: str) -> bool:
    """By its name, which ends in the process id."""
    with suppress(ProcessLookupError):
        os.kill(int(worker.rpartition(":")[2]), 0)
        return True
    return False


async def told(it: Chaos) -> dict[str, int]:
    orders = await it.books.of("orders", it.placed, Order)
    return dict(Counter(f"{it.placed[order.id]} {order.status}" for order in orders))


async def require_balance(it: Chaos) -> None:
    """Of each order by the gateway's books; of the stock by ours."""
    intents, stuck = await it.intents(), {saga.key for saga in await it.sagas() if waits_for_operator(saga)}
    orders = await it.books.of("orders", it.placed, Order)
    for order in orders:
        if payment_of(order.id) not in stuck:
            require_paid(order, intents.get(str(order.id), []))
            assert order.status is Status.CONFIRMED or explained(it, order), (it.placed[order.id], order.status)
    assert len([intent for made in intents.values() for intent in made]) <= ORDERS
    if not stuck:
        stock, sold = await it.books.stock(it.shop.variant), sum(order.status is Status.CONFIRMED for order in orders)
        assert (stock.on_hand, stock.reserved) == (it.shop.stock - sold, 0)


def require_paid(order: Order, intents: list[Intent]) -> None:
    taken = [intent for intent in intents if intent.captured]
    assert len(intents) <= 1, "one attempt was asked for"
    if order.status in ENDED_BADLY:
        assert sum(intent.kept for intent in intents) == 0, (order.id, order.status, intents)
    else:
        assert [intent.kept for intent in taken] == [order.total.amount], (order.id, order.status, intents)


def explained(it: Chaos, order: Order) -> bool:
    """Why an order came to nothing: its customer or card did not want it, or there was nothing left."""
    card = it.placed[order.id]
    if card == "pm_card_captureFail":
        return order.status in ENDED_BADLY
    if order.status is Status.REJECTED:
        return True
    return order.status is Status.CANCELLED and order.id in it.regretted


def require_sound(fleet: Fleet) -> None:
    for what in (("log",), ("models",), ("payments",)):
        verified = fleet.chobo("verify", *what, "--json")
        assert verified.returncode == 0, f"{what}: {verified.stdout[-3000:]}{verified.stderr[-3000:]}"


def listed(fleet: Fleet, *arguments: str) -> set[str]:
    done = fleet.chobo("sagas", "list", "--json", "--limit", "10000", *arguments)
    assert done.returncode == 0, done.stderr
    return {json.loads(line)["id"] for line in done.stdout.splitlines()}
