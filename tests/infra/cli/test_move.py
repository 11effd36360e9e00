"""`chobo move-context` as a person does it: move, set the setting, restart."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from infra.embedded import EmbeddedPostgres
from tests.infra.cli.process import Up, chobo, lines, running


def register(up: Up, name: str) -> httpx.Response:
    person = {"email": f"{name}@example.com", "password": "correct horse", "name": name}
    return httpx.post(f"{up.address}/v1/users", json=person, timeout=30)


def test_contexts_move_to_a_database_of_their_own(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with EmbeddedPostgres(tmp_path / "other") as other:
        arguments = ("move-context", "users", "--to", other.conninfo(), "--reason", "room", "--data", str(data))
        with running(data) as up:
            assert register(up, "mia").status_code == 201
            assert chobo(*arguments).returncode == 2  # nobody there to be asked
            done = chobo(*arguments, "--yes", "--json")
            assert done.returncode == 0, done.stderr
            (moved,) = lines(done)
            assert moved["setting"] == "CHOBO_USERS_DATABASE_URL"
            refused = register(up, "ned")
            assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
            again = chobo(*arguments, "--yes")
            assert again.returncode == 1
            assert "was moved before" in again.stderr
            assert chobo(*arguments, "--abort", "--yes").returncode == 1
            operations = ("move-context", "operations", *arguments[2:])
            assert chobo(*operations, "--abort", "--yes").returncode == 0  # nothing is under way, nothing is fenced
            done = chobo(*operations, "--yes")
            assert done.returncode == 0, done.stderr
            assert "set CHOBO_OPERATIONS_DATABASE_URL" in done.stdout
            assert up.stop() == 0

        monkeypatch.setenv("CHOBO_USERS_DATABASE_URL", other.conninfo())
        monkeypatch.setenv("CHOBO_OPERATIONS_DATABASE_URL", other.conninfo())
        with running(data) as up:
            assert register(up, "ned").status_code == 201
            (users,) = lines(chobo("log", "info", "--context", "users", "--data", str(data), "--json"))
            assert users["head"] > moved["events"]
            for what in ("log", "models"):
                checked = chobo("verify", what, "--data", str(data))
                assert checked.returncode == 0, checked.stdout
            assert chobo("audit", "--data", str(data)).stdout.count("context.move") >= 3
