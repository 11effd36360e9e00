"""Workers that ask the gateway, killed between any two durable steps: everybody is charged once, and refunded once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from commands.payments.gateway import RateLimited, Unknown
from domain.ids import PaymentId
from domain.payments.payment import ChargeStatus
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.gateway.faults import Fault
from infra.gateway.sandbox import SandboxGateway
from infra.gateway.sandbox.misfortune import Rule
from infra.paying import RULES
from projections import asking
from projections.asking import TodoSink
from projections.consumer import Consumer
from projections.models import MODELS
from projections.schema import prepare
from tests.commands.payments.desk import Desk, eur, opened
from tests.contracts.gateways import SECRET
from tests.crash.payer import STEPS, stripe
from tests.eventually import until
from tests.full import size

PHASES = [
    ("", {}, ChargeStatus.AUTHORISED),
    ("capture", {}, ChargeStatus.CAPTURED),
    ("give-back", {"reason": "CANCELLATION"}, ChargeStatus.REFUNDED),
]


class Payers:
    """Worker processes; `deaths` is where those of them die that are started from now on."""

    def __init__(self, database: str, gateway: str) -> None:
        self._arguments = [sys.executable, "-m", "tests.crash.payer", database, gateway, "1.0"]
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, deaths: str = "") -> None:
        command = [*self._arguments, deaths]
        self.running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def replace_dead(self, deaths: str = "") -> None:
        for payer in [payer for payer in self.running if payer.poll() is not None]:
            self.running.remove(payer)
            self.start(deaths)

    @property
    def anybody_dead(self) -> bool:
        return any(payer.poll() is not None for payer in self.running)


@contextmanager
def payers(database: str, gateway: str) -> Any:
    made = Payers(database, gateway)
    try:
        yield made
    finally:
        for payer in made.running:
            payer.kill()
            payer.wait()


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    await prepare(database, MODELS)
    async with opened(database) as desk:
        yield desk


@asynccontextmanager
async def taken_note_of(desk: Desk, database: str) -> AsyncIterator[None]:
    async with desk.pool.connection() as connection:
        await asking.begin(connection, "payments", *(await desk.reader.head()))
    feed = StoreFeed(desk.reader, Wakeups(database, desk.pool, ["payments"]))
    task = asyncio.create_task(Consumer(TodoSink("payments", RULES), feed, desk.pool).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def all_are(desk: Desk, ids: list[UUID], status: ChargeStatus) -> bool:
    await asyncio.sleep(0.1)
    states = await desk.loop.states(ids)
    return all(states.get(id).status is status for id in ids)


async def require_charged_once(desk: Desk, address: str, ids: list[UUID]) -> None:
    gateway = stripe(address)
    try:
        for id in ids:
            found = await gateway.find(PaymentId(id))
            assert not isinstance(found, Unknown | RateLimited)
            (intent,) = found
            assert intent.captured == eur(1000)
            assert [refund.amount for refund in intent.refunds] == [eur(1000)]
    finally:
        await gateway.close()
    types = await desk.types()
    for each in ("payment-authorised", "payment-captured", "payment-refunded"):
        assert types.count(each) == len(ids), types


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_dies_at_a_step_charges_nobody_twice(
    desk: Desk, database: str, tmp_path: Path, step: str
) -> None:
    async with SandboxGateway(tmp_path, secret=SECRET) as sandbox, taken_note_of(desk, database):
        ids = [await desk.begun() for _ in range(2)]
        with payers(database, sandbox.address) as crowd:
            for verb, body, status in PHASES:
                for id in ids if verb else ():
                    assert (await desk.ask(id, verb, **body)).status_code == 202
                for payer in crowd.running:
                    payer.kill()
                    payer.wait()
                crowd.running.clear()
                crowd.start(f"{step}=1")
                await until(lambda: crowd.anybody_dead, within=30)
                crowd.replace_dead()
                await until(lambda status=status: all_are(desk, ids, status), within=40)
        await require_charged_once(desk, sandbox.address, ids)


@pytest.mark.full("payments")
@pytest.mark.timeout(900)
async def test_workers_that_die_anywhere_and_a_gateway_that_fails_charge_nobody_twice(
    desk: Desk, database: str, tmp_path: Path
) -> None:
    often = size(0.05, 0.05)
    faults = [
        Rule(route="POST *", fault=fault, probability=often, seed=n)
        for n, fault in enumerate((Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.CUT, Fault.RATE_LIMITED))
    ]
    deaths = ",".join(f"{step}=0.05" for step in STEPS)
    async with (
        SandboxGateway(tmp_path, secret=SECRET, faults=faults) as sandbox,
        taken_note_of(desk, database),
    ):
        ids = [await desk.begun() for _ in range(size(8, 200))]
        with payers(database, sandbox.address) as crowd:
            for _ in range(2):
                crowd.start(deaths)
            for verb, body, status in PHASES:
                for id in ids if verb else ():
                    assert (await desk.ask(id, verb, **body)).status_code == 202

                async def done(status: ChargeStatus = status) -> bool:
                    crowd.replace_dead(deaths)
                    return await all_are(desk, ids, status)

                await until(done, within=200)
        await require_charged_once(desk, sandbox.address, ids)
