"""`chobo events` shows what the logs hold."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.infra.cli.process import CHOBO, Up, chobo, lines, running

PERSON = {"email": "mia@example.com", "password": "correct horse", "name": "Mia"}


@pytest.fixture(scope="module")
def data(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("events"))


@pytest.fixture(scope="module")
def up(data):
    with running(data) as up:
        yield up


def register(up: Up, name: str) -> httpx.Response:
    body = PERSON | {"email": f"{name}@example.com"}
    return httpx.post(f"{up.address}/v1/users", json=body, headers={"X-Correlation-ID": f"sign-up-of-{name}"})


def test_one_correlation(up, data):
    id = register(up, "ann").json()["id"]
    found = lines(chobo("events", "--data", str(data), "--correlation", "sign-up-of-ann", "--json"))
    assert found[0]["type"] == "users.user-registered"
    assert found[0]["stream"] == id
    assert {event["correlationId"] for event in found} == {"sign-up-of-ann"}


def test_one_stream_from_its_first_event_on(up, data):
    id = register(up, "bob").json()["id"]
    found = lines(chobo("events", "--data", str(data), "--stream", id, "--json"))
    assert [event["version"] for event in found] == list(range(1, len(found) + 1))


def test_personal_fields_stay_sealed(up, data):
    register(up, "cleo")
    shown = chobo("events", "--data", str(data), "--json").stdout
    assert "cleo@example.com" not in shown
    assert "sealed" in shown


def test_following_shows_what_comes(up, data):
    command = [str(CHOBO), "events", "--data", str(data), "--context", "users", "--limit", "1", "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout
        follower.stdout.readline()  # the last one there was
        register(up, "dora")
        assert json.loads(follower.stdout.readline())["correlationId"] == "sign-up-of-dora"
        follower.terminate()


def test_an_unknown_context_is_wrong_usage(up, data):
    done = chobo("events", "--data", str(data), "--context", "invoices")
    assert done.returncode == 2
    assert "unknown context invoices" in done.stderr


def test_without_a_running_chobo_it_is_unavailable(tmp_path):
    done = chobo("events", "--data", str(tmp_path))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
