"""`chobo serve` and `chobo work`: one process for each duty."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import psycopg
import pytest

from domain.actor import Actor, Role
from infra.duties import Duty
from infra.settings import DEFAULT_SECRET
from tests.e2e.buyers import Line, Shop
from tests.e2e.fleet import Fleet, Process, fleet
from tests.eventually import eventually
from tests.infra.cli.process import chobo
from tests.infra.telemetry.reading import value

NOBODY = "127.0.0.1:9"  # the discard service, which runs nowhere any more


@pytest.fixture
def processes(database: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = {"CHOBO_PROFILE": "development", "CHOBO_DATABASE_URL": database, "CHOBO_DATA": str(tmp_path)}
    with fleet(settings, tmp_path) as processes:
        yield processes


def checks(process: Process) -> dict[str, str]:
    found: dict[str, str] = httpx.get(f"{process.address}/readyz").json()["checks"]
    return found


def test_all_come_up_at_once_on_an_empty_database_and_stop_with_exit_code_0(processes, empty_database):
    processes.environment["CHOBO_DATABASE_URL"] = empty_database
    for duty in (Duty.COMMANDS, Duty.READS):
        processes.add(duty, "serve", duty)
    for duty in (Duty.PROJECTIONS, Duty.TODO):
        processes.add(duty, "work", duty)
    processes.start()
    for process in processes.processes.values():
        assert httpx.get(f"{process.address}/healthz").status_code == 200
        eventually(lambda process=process: process.is_ready)  # type: ignore[misc]
        assert "process_cpu_seconds_total" in process.metrics()
    assert set(processes.stop().values()) == {0}


def test_each_serves_its_own_and_nothing_else(processes):
    reads = processes.add("reads", "serve", "reads").start()
    assert httpx.post(f"{reads.address}/v1/users", json={}).status_code == 404
    assert httpx.post(f"{reads.address}/graphql", json={"query": "{ readModels { model } }"}).status_code == 200
    assert "database 2" not in checks(reads)  # no log


def test_one_process_may_have_two_duties(processes):
    both = processes.add("both", "serve", "commands", "reads").start()
    assert httpx.get(f"{both.address}/openapi.json").status_code == 200
    assert httpx.post(f"{both.address}/graphql", json={"query": "{ readModels { model } }"}).status_code == 200


def test_a_relay_of_one_context_depends_on_its_log_and_the_broker_and_waits_for_them(processes):
    processes.environment["CHOBO_KAFKA_BOOTSTRAP"] = NOBODY
    relay = processes.add("relay", "work", "relay", "--context", "orders").start()
    eventually(lambda: checks(relay) == {"database 1": "ok", "relay": "waiting: orders"})
    assert httpx.get(f"{relay.address}/readyz").status_code == 503
    assert httpx.get(f"{relay.address}/healthz").status_code == 200
    assert relay.stop() == 0


def test_a_worker_without_its_broker_says_which_read_models_wait_for_it(processes):
    processes.environment |= {"CHOBO_KAFKA_BOOTSTRAP": NOBODY, "CHOBO_FEED": "kafka"}
    work = processes.add("projections", "work", "projections").start()
    eventually(lambda: "orders@1 is WAITING" in checks(work)["read models"])
    assert httpx.get(f"{work.address}/readyz").status_code == 503
    status = {"consumer": "orders@1", "status": "WAITING"}
    eventually(lambda: value(work.metrics(), "chobo_consumer_status", **status) == 1)
    assert work.stop() == 0


def test_without_a_broker_there_is_no_relay(database):
    done = chobo("work", "relay", "--port", "0", CHOBO_DATABASE_URL=database)
    assert done.returncode == 2
    assert "set CHOBO_KAFKA_BOOTSTRAP" in done.stderr


def test_only_a_relay_can_have_one_context():
    done = chobo("work", "projections", "--context", "orders")
    assert done.returncode == 2
    assert "--context is for `chobo work relay` alone" in " ".join(done.stderr.split())


def test_an_unknown_context_is_wrong_usage():
    done = chobo("work", "relay", "--context", "invoices")
    assert done.returncode == 2
    assert "unknown context invoices" in done.stderr


def test_production_refuses_secrets_that_everybody_knows(database):
    done = chobo("serve", "commands", "--port", "0", CHOBO_PROFILE="production", CHOBO_DATABASE_URL=database)
    assert done.returncode == 2
    assert "production needs secrets of its own: set CHOBO_MASTER_KEY" in done.stderr


def test_without_a_database_to_talk_to_it_is_unavailable(tmp_path):
    done = chobo("serve", "reads", "--port", "0", CHOBO_DATABASE_URL=f"host={tmp_path} dbname=none")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_unavailable(database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = chobo("serve", "reads", "--port", port, CHOBO_DATABASE_URL=database)
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_what_it_writes_is_json_a_line(processes):
    work = processes.add("projections", "work", "projections").start()
    eventually(lambda: any("RUNNING" in line["message"] for line in work.logged()))
    lines = [line for line in work.log.read_text().splitlines() if line]
    assert len(work.logged()) == len(lines)


async def test_a_stop_answers_every_command_that_came_before_it(processes, database):
    commands = processes.add("commands", "serve", "commands").start()
    shop = Shop.opened(commands.address, DEFAULT_SECRET, Random(1))
    unanswered: list[float] = []

    async def order_until_it_is_closed() -> None:
        buyer = shop.token_of(Actor(shop.customers[0], frozenset({Role.CUSTOMER})))
        async with Line(commands.address) as line:
            while True:
                sent = time.monotonic()
                try:
                    shop.note(await line.post("/v1/orders", shop.order, buyer))
                except (OSError, EOFError):
                    unanswered.append(sent)
                    return

    buyers = [asyncio.create_task(order_until_it_is_closed()) for _ in range(8)]
    while len(shop.told) < 50:
        await asyncio.sleep(0.01)
    stopped = time.monotonic()
    assert await asyncio.to_thread(commands.stop) == 0
    await asyncio.gather(*buyers)
    assert min(unanswered) >= stopped
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT DISTINCT originator_id::text FROM orders.stored_events").fetchall()
    assert shop.told.keys() <= {id for (id,) in rows}
