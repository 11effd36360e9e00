"""What the background check of the logs finds can be seen from outside."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from infra.embedded import EmbeddedPostgres
from tests.eventually import eventually
from tests.infra.cli.process import running
from tests.infra.stored import execute


def test_a_fault_in_a_log_is_a_gauge(data: Path):
    spoiled = "UPDATE operations.relay SET position = 1, lasts = array_fill(7::bigint, ARRAY[64])"
    with running(data) as up:
        assert up.stop() == 0
    with EmbeddedPostgres(data) as postgres:
        execute(
            postgres.conninfo(),
            "INSERT INTO operations.stored_events (originator_id, originator_version, topic, state, notification_id)"
            " VALUES (uuidv7(), 1, 'operations.of-another-release', '{}', 1)",
        )
        execute(postgres.conninfo(), spoiled)
    with running(data) as up:

        def found() -> dict[str, str]:
            text = httpx.get(f"{up.address}/metrics").text
            return dict(re.findall(r'chobo_verify_findings{context="(\w+)"} ([\d.]+)', text))

        eventually(lambda: found().get("operations") == "1.0")
        assert found()["users"] == "0.0"
