"""`chobo replay` and `chobo models`, as a person uses them on a running Chobo."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.embedded import EmbeddedPostgres
from tests.eventually import eventually
from tests.infra.cli.process import Up, chobo, lines, running

WHY = ("--reason", "to see what it comes to", "--yes", "--json")


class Desk:
    """The commands of `chobo replay` on one installation."""

    def __init__(self, data: Path, up: Up) -> None:
        self.data = data
        self.up = up

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return chobo("replay", *arguments, "--data", str(self.data))

    def does(self, *arguments: str) -> dict[str, Any]:
        done = self(*arguments, *WHY)
        assert done.returncode == 0, done.stderr
        return lines(done)[-1]

    def status(self, generation: str) -> str:
        found = {g["generation"]: g["status"] for g in lines(self("list", "--ended", "--json"))}
        return str(found[generation])

    def built(self, *arguments: str) -> str:
        """The name of a new generation, once it is built."""
        name = str(self.does("start", *arguments)["generation"])
        eventually(lambda: self.status(name) == "READY")
        return name

    def models(self) -> dict[str, dict[str, Any]]:
        found = lines(chobo("models", "--data", str(self.data), "--json"))
        return {f"{m['model']}@{m['generation']}": m for m in found}


def register(up: Up, name: str) -> str:
    body = {"email": f"{name}@example.com", "password": "correct horse", "name": name.title()}
    answer = httpx.post(f"{up.address}/v1/users", json=body).raise_for_status()
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def desk(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    data = installed(tmp_path_factory.mktemp("replay"))
    with running(data) as up:
        for name in ("ann", "bob", "cleo"):
            register(up, name)
        yield Desk(data, up)


def test_start_compare_switch_roll_back_drop(desk: Desk) -> None:
    new = desk.built("users")
    refused = desk("switch", "users", *WHY)
    assert refused.returncode == 1
    assert "was not compared with the live one" in refused.stderr

    assert desk("compare", "users").returncode == 2, "it says why"
    compared = desk("compare", "users", "--reason", "before readers see it", "--json")
    assert compared.returncode == 0, compared.stderr
    assert lines(compared)[0]["equal"] is True
    assert lines(compared)[0]["rows"]["users"] >= 3

    assert desk.does("switch", "users")["status"] == "LIVE"
    assert desk.status(new) == "LIVE"
    assert desk.does("rollback", "users")["generation"] == "users@1"
    assert desk.status(new) == "KEPT"
    assert desk.does("drop", new)["status"] == "DROPPED"


def test_a_comparison_is_recorded_as_the_dashboard_s_is(desk: Desk) -> None:
    new = desk.built("payments")
    assert desk("compare", new, "--reason", "at the desk").returncode == 0
    token = chobo("token", "--data", str(desk.data)).stdout.strip()
    replay = next(g["replay"] for g in lines(desk("list", "--json")) if g["generation"] == new)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "compare"}
    path = f"{desk.up.address}/v1/replays/{replay}/compare"
    httpx.post(path, json={"reason": "over HTTP"}, headers=headers).raise_for_status()

    def recorded() -> list[dict[str, Any]]:
        asked = ("--kind", "replay.compare", "--target", replay, "--status", "DONE")
        return lines(chobo("audit", *asked, "--data", str(desk.data), "--json"))

    eventually(lambda: len(recorded()) == 2)
    over_http, at_the_desk = recorded()
    assert (over_http["reason"], at_the_desk["reason"]) == ("over HTTP", "at the desk")
    assert over_http["result"] == at_the_desk["result"]
    assert (at_the_desk["actor"], at_the_desk["result"]["generation"]) == ("service:cli", new)
    desk.does("cancel", new)


def test_cancel(desk: Desk) -> None:
    desk.does("start", "orders")
    assert desk.does("cancel", "orders")["status"] == "CANCELLED"


def test_as_of_a_position_is_read_by_its_schema(desk: Desk) -> None:
    started = chobo("replay", "start", "products", "--until", "p0", *WHY[:-1], "--data", str(desk.data))
    assert started.returncode == 0, started.stderr
    assert "read it in the read database in the schema products_2" in started.stdout
    eventually(lambda: desk.status("products@2") == "READY")
    assert desk("switch", "products@2", "--force", *WHY).returncode == 1
    assert desk.does("drop", "products")["status"] == "DROPPED"


def test_watch_ends_when_nothing_is_built(desk: Desk) -> None:
    assert "Nothing is being built." in desk("watch").stdout


def test_what_changes_something_must_say_why_and_that_it_is_meant(desk: Desk) -> None:
    assert desk("start", "users", "--yes").returncode == 2
    asked = desk("start", "users", "--reason", "to see")
    assert asked.returncode == 2
    assert "Say --yes" in asked.stderr


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("start", "invoices", *WHY), 1, "there is no read model invoices"),
        (("start", "users", "--until", "noon", *WHY), 2, "say a position as p1234"),
        (("start", "users", "--until", "p999999", *WHY), 1, "is still to come"),
        (("switch", "users@9", *WHY), 1, "there is no generation 9 of users"),
        (("drop", "users@1", *WHY), 1, "is what readers see"),
    ],
)
def test_what_cannot_be_done_is_refused(desk: Desk, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = desk(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert said in " ".join(done.stderr.split())


def test_models_says_how_far_each_is(desk: Desk) -> None:
    eventually(lambda: desk.models()["users@1"]["behind"] == 0)
    users = desk.models()["users@1"]
    assert (users["status"], users["context"], users["parked"], users["worker"]) == ("LIVE", "users", 0, "RUNNING")
    assert users["floor"] > 0


def test_the_operations_are_recorded(desk: Desk) -> None:
    found = lines(chobo("audit", "--kind", "replay.start", "--data", str(desk.data), "--json"))
    assert {entry["reason"] for entry in found} == {"to see what it comes to"}


def test_what_was_made_from_another_table_sql_is_rebuilt_before_anything_is_served(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        ann = register(up, "ann")
        assert up.stop() == 0
    with EmbeddedPostgres(tmp_path) as postgres, psycopg.connect(postgres.conninfo()) as connection:
        connection.execute("UPDATE projections.generations SET shape = '' WHERE model = 'users'")
        connection.execute("ALTER TABLE users_1.users RENAME COLUMN email TO e_mail")
    with running(tmp_path) as up:
        ready = httpx.get(f"{up.address}/readyz").json()
        assert ready["checks"]["shape of read models"] == "ok"
        assert Desk(tmp_path, up).status("users@2") == "LIVE"
        signed_in = httpx.post(
            f"{up.address}/v1/sessions", json={"email": "ann@example.com", "password": "correct horse"}
        ).json()
        headers = {"Authorization": f"Bearer {signed_in['accessToken']}"}
        asked = httpx.post(f"{up.address}/graphql", json={"query": "{ me { id } }"}, headers=headers).json()
        assert asked["data"] == {"me": {"id": ann}}, json.dumps(asked)
