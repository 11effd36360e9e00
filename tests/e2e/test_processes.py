"""The one test that does it all: separate processes, a real broker, and all that can be killed is killed.

Orders are placed by HTTP and travel through Kafka to the read models, while relays and workers are killed with kill -9
at random moments and come back, and the broker is stopped, killed and started again. At the end nothing is missing,
nothing is there twice, and every aggregate's events were applied in order.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from infra.kafka.broker import EmbeddedKafka
from tests import full
from tests.e2e.buyers import Shop, read_back
from tests.e2e.fleet import Fleet, environment_file, fleet
from tests.full import size

LIMIT = 1500 if full.is_full("processes") else 300  # seconds
pytestmark = [pytest.mark.requires("kafka"), pytest.mark.full("processes"), pytest.mark.timeout(LIMIT)]

MORTAL = ("relay-1", "relay-2", "projections-1", "projections-2", "todo")


@pytest.fixture
def settings(database: str, broker: EmbeddedKafka, tmp_path: Path) -> dict[str, str]:
    deployed = environment_file()
    del deployed["CHOBO_OTLP_ENDPOINT"]
    return deployed | {
        "CHOBO_DATABASE_URL": database,
        "CHOBO_KAFKA_BOOTSTRAP": broker.bootstrap,
        "CHOBO_TOPIC_PREFIX": f"e2e-{tmp_path.name}",
        "CHOBO_TOPIC_PARTITIONS": "6",
        "CHOBO_POOL_SIZE": "4",
        "CHOBO_DATA": str(tmp_path / "data"),
        "CHOBO_ERASURE_LIST": str(tmp_path / "erasures.jsonl"),
    }


def assembled(fleet: Fleet) -> None:
    """Two relays, of which one stands by, and two workers that share the partitions."""
    fleet.add("commands", "serve", "commands")
    fleet.add("reads", "serve", "reads")
    for number in (1, 2):
        fleet.add(f"relay-{number}", "work", "relay")
        fleet.add(f"projections-{number}", "work", "projections")
    fleet.add("todo", "work", "todo")


async def trouble(fleet: Fleet, broker: EmbeddedKafka, shop: Shop, events: int, kills: int, restarts: int) -> int:
    """Strikes whenever a stretch of events has been recorded. How often somebody was killed."""
    blows = [*(["kill"] * kills), *(["broker"] * restarts)]
    shop.random.shuffle(blows)
    killed = 0
    for number, blow in enumerate(blows, 1):
        while shop.events < events * number // (len(blows) + 1):
            await asyncio.sleep(0.02)
        if blow == "broker":
            await restart(broker, in_order=shop.random.random() < 0.5)
        else:
            await kill_and_start(fleet, shop)
            killed += 1
    return killed


async def kill_and_start(fleet: Fleet, shop: Shop) -> None:
    victim = fleet[shop.random.choice(MORTAL)]
    await asyncio.to_thread(victim.kill)
    await asyncio.sleep(shop.random.random())
    victim.begin()
    if shop.random.random() < 0.7:  # else the next blow may strike while it is still coming up
        await asyncio.to_thread(victim.settled)


async def restart(broker: EmbeddedKafka, *, in_order: bool) -> None:
    await asyncio.to_thread(broker.stop if in_order else broker.kill)
    await asyncio.sleep(0.5)
    await broker.restart()


async def test_nothing_is_lost_doubled_or_out_of_order_whoever_dies(settings, broker, tmp_path):
    events, kills, restarts = size(600, 50_000), size(3, 30), size(1, 3)
    with fleet(settings, tmp_path) as processes:
        assembled(processes)
        processes.start()
        shop = Shop.opened(processes["commands"].address, settings["CHOBO_TOKEN_KEYS"], full.randomness())
        selling = asyncio.create_task(shop.sell(events))
        killed = await trouble(processes, broker, shop, events, kills, restarts)
        await selling
        await asyncio.to_thread(all_come_up, processes)
        await asyncio.to_thread(processes.wait_until_applied, processes["projections-1"], within=120)
        assert killed == kills
        assert shop.events >= events
        assert read_back(processes["reads"].address, shop) == shop.told
        for what in (("log",), ("models", "--deep"), ("topic",)):
            verified = await asyncio.to_thread(processes.chobo, "verify", *what, "--json")
            assert verified.returncode == 0, f"{what}: {verified.stdout[-3000:]}{verified.stderr[-3000:]}"
        assert parked(processes) == []
        assert set(processes.stop().values()) == {0}


def all_come_up(processes: Fleet) -> None:
    """Who was killed last may still be on the way."""
    for name in MORTAL:
        if not processes[name].address:
            processes[name].settled()


def parked(processes: Fleet) -> list[str]:
    listed = processes.chobo("parked", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    return [json.loads(line) for line in listed.stdout.splitlines()]
