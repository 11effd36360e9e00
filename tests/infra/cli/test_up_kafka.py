"""`chobo up --kafka`: the same, with relay, broker and topics between the log and what can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.eventually import eventually
from tests.infra.cli.process import Up, chobo, running


def seen(up: Up, name: str) -> bool:
    """Whether who has registered finds themselves in the read model."""
    person = {"email": f"{name}@example.com", "password": "correct horse"}
    asked = httpx.post(f"{up.address}/v1/users", json=person | {"name": "Mia"}, timeout=20)
    assert asked.status_code == 201, asked.text
    session = httpx.post(f"{up.address}/v1/sessions", json=person, timeout=20).json()
    headers = {"Authorization": f"Bearer {session['accessToken']}"}

    def me() -> Any:
        answer = httpx.post(f"{up.address}/graphql", json={"query": "{ me { id } }"}, headers=headers, timeout=20)
        return answer.json()["data"]["me"]

    eventually(lambda: me() is not None, within=40)
    return bool(me()["id"] == asked.json()["id"])


def broker_of(up: Up) -> psutil.Process | None:
    children = psutil.Process(up.process.pid).children(recursive=True)
    return next((child for child in children if "kafka.Kafka" in child.cmdline()), None)


@pytest.mark.requires("kafka", shared=False)
def test_what_is_recorded_is_seen_through_kafka_and_again_after_kill_9_of_the_broker(data: Path) -> None:
    with running(data, "--kafka") as up:
        assert seen(up, "before")
        broker = broker_of(up)
        assert broker is not None
        broker.kill()
        assert seen(up, "after")
        assert up.stop() == 0
    assert not broker.is_running()


@pytest.mark.requires("kafka", shared=False)
def test_a_shop_moves_from_its_log_to_kafka_and_back(data: Path) -> None:
    for n, flags in enumerate([(), ("--kafka",), ()]):
        with running(data, *flags) as up:
            assert seen(up, f"person-{n}")
            assert up.stop() == 0


def test_without_java_it_says_what_is_needed(data: Path, tmp_path: Path) -> None:
    done = chobo("up", "--kafka", "--port", "0", "--data", str(data), PATH=str(tmp_path))
    assert done.returncode == 3
    assert "Java 17 or later is needed to run Kafka" in done.stderr
    assert "CHOBO_KAFKA_BOOTSTRAP" in done.stderr
