"""`chobo verify` beside a running `chobo up`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from infra.embedded import EmbeddedPostgres
from tests.infra.cli.process import Up, chobo, lines, running
from tests.infra.stored import execute

PERSON = {"email": "mia@example.com", "password": "correct horse", "name": "Mia"}


@pytest.fixture(scope="module")
def data(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("verify"))


@pytest.fixture(scope="module")
def up(data):
    with running(data) as up:
        httpx.post(f"{up.address}/v1/users", json=PERSON).raise_for_status()
        yield up


def test_a_sound_log_is_exit_code_0(up: Up, data: Path):
    done = chobo("verify", "log", "--data", str(data), "--json")
    assert done.returncode == 0
    users = next(row for row in lines(done) if row["place"] == "users")
    assert users["checked"] > 0
    assert users["wrong"] == 0


def test_what_is_wrong_is_one_line_each_and_exit_code_1(up: Up, data: Path):
    postgres = EmbeddedPostgres(data).conninfo()
    execute(postgres, "UPDATE users.stored_events SET topic = 'users.lost' WHERE notification_id = 1")
    try:
        done = chobo("verify", "log", "--data", str(data), "--context", "users")
    finally:
        execute(postgres, "UPDATE users.stored_events SET topic = 'users.user-registered' WHERE notification_id = 1")
    assert done.returncode == 1
    assert "UNREADABLE" in done.stdout
    assert "unknown event type 'users.lost'" in done.stdout
    assert "users: " in done.stdout.splitlines()[-1]


def test_an_unknown_context_is_wrong_usage(up: Up, data: Path):
    assert chobo("verify", "log", "--data", str(data), "--context", "invoices").returncode == 2


def test_read_models_are_checked_and_repaired_and_the_repair_is_recorded(up: Up, data: Path):
    postgres = EmbeddedPostgres(data).conninfo()
    assert chobo("verify", "models", "--deep", "--data", str(data)).returncode == 0
    execute(postgres, "UPDATE users_1.users SET display_name = 'Nobody'")
    done = chobo("verify", "models", "--model", "users", "--deep", "--data", str(data), "--json")
    assert done.returncode == 1
    assert {row["finding"] for row in lines(done) if "finding" in row} == {"ROW_DIFFERS"}

    repair = ("verify", "models", "--deep", "--repair", "--data", str(data), "--json")
    assert chobo(*repair).returncode == 2  # no reason
    done = chobo(*repair, "--reason", "a drill", "--yes")
    assert done.returncode == 0, done.stderr
    assert any(row["repaired"] for row in lines(done) if "finding" in row)
    assert chobo("verify", "models", "--deep", "--data", str(data)).returncode == 0
    assert "verify.repair" in chobo("audit", "--data", str(data)).stdout


def test_an_unknown_read_model_is_wrong_usage(up: Up, data: Path):
    assert chobo("verify", "models", "--model", "invoices", "--data", str(data)).returncode == 2
