"""`chobo log`: into a file, out of it into another installation, and what is refused."""

from __future__ import annotations

import json
import shutil
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
    return installed(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def up(data):
    with running(data) as up:
        httpx.post(f"{up.address}/v1/users", json=PERSON, headers={"Idempotency-Key": "mia"}).raise_for_status()
        yield up


@pytest.fixture(scope="module")
def empty(data: Path, tmp_path_factory: pytest.TempPathFactory):
    """The address of a database with nothing in it, and a data directory with the same secrets."""
    folder = tmp_path_factory.mktemp("empty")
    shutil.copy(data / "secrets.json", folder)
    with EmbeddedPostgres(folder) as postgres:
        yield folder, postgres.conninfo()


def test_a_log_and_its_keys_go_to_another_installation(up: Up, data: Path, empty, tmp_path: Path):
    folder, url = empty
    files = str(tmp_path / "users.jsonl.zst"), "--keys", str(tmp_path / "keys.jsonl"), "--reason", "moving house"
    (exported,) = lines(chobo("log", "export", "users", *files, "--data", str(data), "--json"))
    done = chobo("log", "import", *files, "--data", str(folder), "--database-url", url, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert lines(done) == [exported]
    assert exported["events"] > 0
    assert exported["keys"] == 2  # Mia's and the first operator's
    checked = chobo("verify", "log", "--context", "users", "--data", str(data), "--database-url", url, "--json")
    assert checked.returncode == 0, checked.stdout
    names = {"events": "SELECT * FROM users.stored_events ORDER BY 5", "keys": "SELECT * FROM users.keys ORDER BY 1"}
    for query in names.values():
        assert execute(url, query) == execute(EmbeddedPostgres(data).conninfo(), query)

    for where, kinds in ((("--data", str(data)), ["log.export-keys"]), (("--database-url", url), ["log.import"])):
        asked = lines(chobo("events", "--context", "operations", *where, "--json"))
        begun = [e["state"] for e in asked if e["type"] == "operations.operation-begun"]
        assert [state["kind"] for state in begun] == kinds

    again = chobo("log", "import", files[0], "--reason", "again", "--data", str(folder), "--database-url", url, "--yes")
    assert again.returncode == 1
    assert "the log of users is not empty" in again.stderr


def test_an_import_asks_first(up: Up, empty, tmp_path: Path, data: Path):
    folder, url = empty
    file = str(tmp_path / "orders.jsonl")
    assert chobo("log", "export", "orders", file, "--data", str(data)).returncode == 0
    done = chobo("log", "import", file, "--reason", "a drill", "--data", str(folder), "--database-url", url)
    assert done.returncode == 2
    assert "Say --yes" in done.stderr


def test_a_file_that_is_cut_off_is_refused(up: Up, empty, tmp_path: Path, data: Path):
    folder, url = empty
    file = tmp_path / "products.jsonl"
    chobo("log", "export", "products", str(file), "--data", str(data))
    file.write_bytes(file.read_bytes()[:-10])
    done = chobo(
        "log", "import", str(file), "--reason", "a drill", "--data", str(folder), "--database-url", url, "--yes"
    )
    assert done.returncode == 1
    assert "cut off" in done.stderr


def test_info_shows_head_and_incarnation(up: Up, data: Path):
    (users,) = lines(chobo("log", "info", "--context", "users", "--data", str(data), "--json"))
    assert users["head"] > 0
    assert users["reason"] == "created"


def test_a_new_incarnation_stops_the_consumers_with_that_reason(up: Up, data: Path):
    done = chobo("log", "new-incarnation", "payments", "--reason", "a drill", "--yes", "--data", str(data), "--json")
    (begun,) = lines(done)
    (payments,) = lines(chobo("log", "info", "--context", "payments", "--data", str(data), "--json"))
    assert payments["incarnation"] == begun["incarnation"]
    assert payments["reason"] == "a drill"


def test_keys_wrapped_by_another_master_key_are_refused(up: Up, data: Path, tmp_path: Path):
    file, keys = tmp_path / "payments.jsonl", tmp_path / "keys.jsonl"
    chobo("log", "export", "payments", str(file), "--keys", str(keys), "--reason", "why", "--data", str(data))
    with EmbeddedPostgres(tmp_path / "other") as postgres:  # makes secrets of its own
        done = chobo(
            "log", "import", str(file), "--keys", str(keys), "--reason", "a drill", "--yes",
            "--data", str(tmp_path / "other"), "--database-url", postgres.conninfo(),
        )  # fmt: skip
    assert done.returncode == 2
    assert "was not wrapped under this CHOBO_MASTER_KEY" in done.stderr


def test_the_keys_are_not_in_the_log(up: Up, data: Path, tmp_path: Path):
    file = tmp_path / "users.jsonl"
    chobo("log", "export", "users", str(file), "--data", str(data))
    wrapped = execute(EmbeddedPostgres(data).conninfo(), "SELECT encode(wrapped, 'base64') FROM users.keys")
    assert not any(json.dumps(key)[1:40] in file.read_text() for (key,) in wrapped)
