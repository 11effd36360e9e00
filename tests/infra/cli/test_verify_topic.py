"""`chobo verify topic` beside a `chobo up` that works through Kafka."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from infra.embedded import EmbeddedPostgres
from tests.eventually import eventually
from tests.infra.cli.process import chobo, lines, running
from tests.infra.stored import execute

PERSON = {"email": "mia@example.com", "password": "correct horse", "name": "Mia"}
BEHIND = "SELECT (SELECT max(notification_id) FROM users.stored_events) - position FROM users.relay"


def test_a_topic_is_checked_and_what_is_wrong_is_exit_code_1(kafka: str, data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHOBO_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("CHOBO_TOPIC_PREFIX", prefix := f"cli-{uuid4().hex[:10]}")
    verify = ("verify", "topic", "--context", "users", "--data", str(data), "--json")
    with running(data, "--kafka") as up:
        httpx.post(f"{up.address}/v1/users", json=PERSON, timeout=30).raise_for_status()
        postgres = EmbeddedPostgres(data).conninfo()
        eventually(lambda: execute(postgres, BEHIND) == [(0,)])
        done = chobo(*verify)
        assert done.returncode == 0, done.stdout + done.stderr
        (tally,) = lines(done)
        assert (tally["place"], tally["wrong"]) == (f"{prefix}.users", 0)
        assert tally["checked"] > 0

        execute(postgres, "UPDATE users.relay SET lasts = array_fill(0::bigint, ARRAY[64])")
        assert chobo(*verify).returncode == 1


def test_without_kafka_it_is_wrong_usage(data: Path):
    done = chobo("verify", "topic", "--data", str(data), "--database-url", "host=/nowhere")
    assert done.returncode == 2
    assert "set CHOBO_KAFKA_BOOTSTRAP" in done.stderr
